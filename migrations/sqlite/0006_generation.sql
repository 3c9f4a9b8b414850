-- What the tables mean, as a number. A portal writes only where it is the number that the portal was built for. A
-- migration after which older portals must not write any more raises it.
CREATE TABLE schema_generation (
    only_row   INTEGER PRIMARY KEY DEFAULT 1 CHECK (only_row = 1),
    generation INTEGER NOT NULL
) STRICT;
INSERT INTO schema_generation (generation) VALUES (1);
