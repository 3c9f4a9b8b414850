-- An operation: one attempt to bring a stack up, or to take one down. The latter is a removal; its
-- name is the one of the deployment that it removes. Times are Unix milliseconds.
CREATE TABLE deployments (
    id             text   COLLATE "C" PRIMARY KEY,
    name           text   COLLATE "C" NOT NULL,
    host           text   NOT NULL,
    url            text   NOT NULL,
    state          text   NOT NULL DEFAULT 'active'
                          CHECK (state IN ('active', 'live', 'rolled_back', 'stuck')),
    seq            bigint NOT NULL,
    started_ms     bigint NOT NULL,
    completed_ms   bigint,
    lease_owner    text,
    lease_token    bigint NOT NULL DEFAULT 0,
    lease_until_ms bigint NOT NULL DEFAULT 0,
    removes        text,
    retry_of       text,
    retried_by     text,
    cancel_ms      bigint,
    -- What is left, as clean-up found it after the end, and when it goes on.
    receipt        text,
    tries          bigint NOT NULL DEFAULT 0,
    due_ms         bigint,
    -- When nothing was left any more: the name is free from then on.
    released_ms    bigint,
    CHECK ((completed_ms IS NULL) = (state = 'active'))
);

-- A name, and so a host, belongs to at most one deployment that is not rolled back; a stack has
-- at most one removal under way.
CREATE UNIQUE INDEX deployments_name ON deployments (name)
    WHERE state <> 'rolled_back' AND removes IS NULL;
CREATE UNIQUE INDEX deployments_removes ON deployments (removes)
    WHERE state <> 'rolled_back' AND removes IS NOT NULL;
CREATE INDEX deployments_claimable ON deployments (started_ms, id) WHERE state = 'active';
CREATE INDEX deployments_released ON deployments (released_ms) WHERE released_ms IS NOT NULL;
CREATE INDEX deployments_stuck ON deployments (due_ms) WHERE state = 'stuck';
CREATE INDEX deployments_live ON deployments (completed_ms) WHERE state = 'live';

-- The journal: what is known of each step.
CREATE TABLE steps (
    deployment_id text COLLATE "C" NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    step          text NOT NULL,
    record        text NOT NULL,
    PRIMARY KEY (deployment_id, step)
);

-- The services that the platform made: once their applications are gone, only this leads to
-- them.
CREATE TABLE services (
    deployment_id text COLLATE "C" NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    app_name      text NOT NULL,
    PRIMARY KEY (deployment_id, app_name)
);

-- The one event sequence, numbered from 1 without a gap, replayed byte for byte.
CREATE TABLE events (
    deployment_id text   COLLATE "C" NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    seq           bigint NOT NULL,
    name          text   NOT NULL,
    data          text   NOT NULL,
    PRIMARY KEY (deployment_id, seq)
);

-- First answers, repeated for the same idempotency key.
CREATE TABLE answers (
    caller      text   NOT NULL,
    key         text   NOT NULL,
    fingerprint text   NOT NULL,
    status      bigint NOT NULL,
    location    text,
    body        text   NOT NULL,
    expires_ms  bigint NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX answers_expiry ON answers (expires_ms);
