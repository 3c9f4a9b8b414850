-- A stack and an operation on it become tables of their own. An older version would look for stacks among its
-- deployments, so it must not write any more.
UPDATE schema_generation SET generation = 3;

-- A stack, from the request for it until nothing of it is left. Times are Unix milliseconds.
CREATE TABLE stacks (
    stack      TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    host       TEXT    NOT NULL,
    url        TEXT    NOT NULL,
    -- Whose it is, and what limits it is counted with.
    owner      TEXT,
    counted_as TEXT,
    created_ms INTEGER NOT NULL,
    live_ms    INTEGER,
    gone_ms    INTEGER
) STRICT, WITHOUT ROWID;

ALTER TABLE deployments RENAME TO operations;

-- Each deployment made a stack, which came up if it is live, or if it was removed since.
INSERT INTO stacks
SELECT 'stk_' || substr(id, 5), name, host, url, owner, counted_as, started_ms,
       CASE WHEN state = 'live' OR state = 'rolled_back' AND EXISTS
           (SELECT 1 FROM operations AS removal WHERE removal.removes = made.id) THEN completed_ms END,
       CASE WHEN state = 'rolled_back' THEN COALESCE(released_ms, completed_ms) END
FROM operations AS made WHERE removes IS NULL;
-- Of a removed stack, the deployment may have been purged just before its removal.
INSERT INTO stacks
SELECT 'stk_' || substr(removes, 5), name, host, url, owner, counted_as, started_ms, NULL,
       COALESCE(released_ms, started_ms)
FROM operations WHERE removes IS NOT NULL
ON CONFLICT DO NOTHING;

ALTER TABLE operations ADD COLUMN stack TEXT REFERENCES stacks (stack);
UPDATE operations SET stack = 'stk_' || substr(COALESCE(removes, id), 5);

DROP INDEX deployments_name;
DROP INDEX deployments_counted;
DROP INDEX deployments_begun;
DROP INDEX deployments_freed;
DROP INDEX deployments_owned;
DROP INDEX deployments_ended;
ALTER TABLE operations DROP COLUMN name;
ALTER TABLE operations DROP COLUMN host;
ALTER TABLE operations DROP COLUMN url;
ALTER TABLE operations DROP COLUMN owner;
ALTER TABLE operations DROP COLUMN counted_as;

-- A name, and so a host, belongs to at most one stack that is not gone.
CREATE UNIQUE INDEX stacks_name ON stacks (name) WHERE gone_ms IS NULL;
CREATE INDEX stacks_counted ON stacks (counted_as) WHERE gone_ms IS NULL;
CREATE INDEX stacks_begun ON stacks (counted_as, created_ms);
CREATE INDEX stacks_freed ON stacks (name, gone_ms) WHERE live_ms IS NOT NULL AND gone_ms IS NOT NULL;
CREATE INDEX stacks_came_up ON stacks (live_ms) WHERE live_ms IS NOT NULL;
CREATE INDEX stacks_owned ON stacks (owner) WHERE owner IS NOT NULL;

CREATE INDEX operations_stack ON operations (stack);
-- At most one operation holds a stack: it is under way, or something is left of it.
CREATE UNIQUE INDEX operations_holding ON operations (stack) WHERE state IN ('active', 'stuck');
DROP INDEX deployments_removes;
CREATE UNIQUE INDEX operations_removes ON operations (removes) WHERE state <> 'rolled_back' AND removes IS NOT NULL;
DROP INDEX deployments_removals;
CREATE INDEX operations_removals ON operations (removes) WHERE removes IS NOT NULL;
DROP INDEX deployments_claimable;
CREATE INDEX operations_claimable ON operations (started_ms, id) WHERE state = 'active';
DROP INDEX deployments_released;
CREATE INDEX operations_released ON operations (released_ms) WHERE released_ms IS NOT NULL;
DROP INDEX deployments_stuck;
CREATE INDEX operations_stuck ON operations (due_ms) WHERE state = 'stuck';
DROP INDEX deployments_live;
CREATE INDEX operations_live ON operations (completed_ms) WHERE state = 'live';
DROP INDEX deployments_tidy;
CREATE INDEX operations_tidy ON operations (due_ms) WHERE state = 'live' AND due_ms IS NOT NULL;
DROP INDEX deployments_started;
CREATE INDEX operations_started ON operations (started_ms, id);

-- An older version knows a portal's database by this table. Without it, it would call the database lost instead of a
-- newer version's. Nothing is ever written to it.
CREATE TABLE deployments (unused TEXT CHECK (unused IS NOT unused)) STRICT;
