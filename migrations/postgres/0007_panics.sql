-- How often whoever drove an operation panicked: after a few times it is given up.
ALTER TABLE deployments ADD COLUMN panics BIGINT NOT NULL DEFAULT 0;

-- Work that one portal does for all of them, whose turn it is, and what it last came to.
CREATE TABLE turns (
    name     TEXT   PRIMARY KEY,
    owner    TEXT   NOT NULL,
    until_ms BIGINT NOT NULL,
    report   TEXT
);
