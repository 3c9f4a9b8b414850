-- Cancelling, retrying, removing, and clean-up after the end. A removal is a row like a
-- deployment's; its name is the one of the deployment that it removes.
ALTER TABLE deployments ADD COLUMN removes     TEXT;
ALTER TABLE deployments ADD COLUMN retry_of    TEXT;
ALTER TABLE deployments ADD COLUMN retried_by  TEXT;
ALTER TABLE deployments ADD COLUMN cancel_ms   INTEGER;
-- What is left, as clean-up found it after the end, and when it goes on.
ALTER TABLE deployments ADD COLUMN receipt     TEXT;
ALTER TABLE deployments ADD COLUMN tries       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deployments ADD COLUMN due_ms      INTEGER;
-- When nothing was left any more: the name is free from then on.
ALTER TABLE deployments ADD COLUMN released_ms INTEGER;

UPDATE deployments SET released_ms = completed_ms WHERE state = 'rolled_back';
UPDATE deployments SET due_ms = completed_ms WHERE state = 'stuck';

DROP INDEX deployments_name;
DROP INDEX deployments_ended;
CREATE UNIQUE INDEX deployments_name ON deployments (name)
    WHERE state <> 'rolled_back' AND removes IS NULL;
CREATE UNIQUE INDEX deployments_removes ON deployments (removes)
    WHERE state <> 'rolled_back' AND removes IS NOT NULL;
CREATE INDEX deployments_released ON deployments (released_ms) WHERE released_ms IS NOT NULL;
CREATE INDEX deployments_stuck ON deployments (due_ms) WHERE state = 'stuck';
CREATE INDEX deployments_live ON deployments (completed_ms) WHERE state = 'live';

-- The services that the platform made: once their applications are gone, only this leads to
-- them.
CREATE TABLE services (
    deployment_id TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    app_name      TEXT NOT NULL,
    PRIMARY KEY (deployment_id, app_name)
) STRICT, WITHOUT ROWID;
