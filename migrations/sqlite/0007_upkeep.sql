-- The row that a health check writes: a database that can only be read is not well.
CREATE TABLE write_probe (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    writes INTEGER NOT NULL
) STRICT;
INSERT INTO write_probe (id, writes) VALUES (1, 0);

-- Which database this is: a file beside it says the same, so that records that are gone, or are
-- those of another portal, are noticed.
CREATE TABLE identity (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    identity TEXT    NOT NULL
) STRICT;
