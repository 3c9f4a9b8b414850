-- The row that a health check writes: a database that can only be read is not well.
CREATE TABLE write_probe (
    id     bigint PRIMARY KEY CHECK (id = 1),
    writes bigint NOT NULL
);
INSERT INTO write_probe (id, writes) VALUES (1, 0);
