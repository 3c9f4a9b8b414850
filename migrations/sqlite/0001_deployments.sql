-- A deployment: one attempt to bring a stack up. Times are Unix milliseconds.
CREATE TABLE deployments (
    id             TEXT    PRIMARY KEY,
    name           TEXT    NOT NULL,
    host           TEXT    NOT NULL,
    url            TEXT    NOT NULL,
    state          TEXT    NOT NULL DEFAULT 'active'
                           CHECK (state IN ('active', 'live', 'rolled_back', 'stuck')),
    seq            INTEGER NOT NULL,
    started_ms     INTEGER NOT NULL,
    completed_ms   INTEGER,
    lease_owner    TEXT,
    lease_token    INTEGER NOT NULL DEFAULT 0,
    lease_until_ms INTEGER NOT NULL DEFAULT 0,
    CHECK ((completed_ms IS NULL) = (state = 'active'))
) STRICT;

-- A name, and so a host, belongs to at most one deployment that is not rolled back.
CREATE UNIQUE INDEX deployments_name ON deployments (name) WHERE state <> 'rolled_back';
CREATE INDEX deployments_claimable ON deployments (started_ms, id) WHERE state = 'active';
CREATE INDEX deployments_ended ON deployments (completed_ms) WHERE state = 'rolled_back';

-- The journal: what is known of each step.
CREATE TABLE steps (
    deployment_id TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    step          TEXT NOT NULL,
    record        TEXT NOT NULL,
    PRIMARY KEY (deployment_id, step)
) STRICT, WITHOUT ROWID;

-- The one event sequence, numbered from 1 without a gap, replayed byte for byte.
CREATE TABLE events (
    deployment_id TEXT    NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    seq           INTEGER NOT NULL,
    name          TEXT    NOT NULL,
    data          TEXT    NOT NULL,
    PRIMARY KEY (deployment_id, seq)
) STRICT, WITHOUT ROWID;

-- First answers, repeated for the same idempotency key.
CREATE TABLE answers (
    caller      TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    location    TEXT,
    body        TEXT    NOT NULL,
    expires_ms  INTEGER NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_expiry ON answers (expires_ms);
