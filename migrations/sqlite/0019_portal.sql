-- The portal's name, which is part of the marker on all that it makes on the platform: one row, or none before the first
-- start.
CREATE TABLE portal (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT    NOT NULL
) STRICT;
