-- What the tables mean, as a number. A portal writes only where it is the number that the portal was built for. A
-- migration after which older portals must not write any more raises it, and does so first: whoever writes has a lock
-- of this row before any other.
CREATE TABLE schema_generation (
    only_row   smallint PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    generation bigint   NOT NULL
);
INSERT INTO schema_generation (generation) VALUES (1);
