-- The portal's name, which is part of the marker on all that it makes on the platform: one row, or none before the first
-- start.
CREATE TABLE portal (
    id   bigint PRIMARY KEY CHECK (id = 1),
    name text   NOT NULL
);
