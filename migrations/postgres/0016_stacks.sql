-- A stack and an operation on it become tables of their own. An older version would look for stacks among its
-- deployments, so it must not write any more.
UPDATE schema_generation SET generation = 3;

-- A stack, from the request for it until nothing of it is left. Times are Unix milliseconds.
CREATE TABLE stacks (
    stack      text   COLLATE "C" PRIMARY KEY,
    name       text   COLLATE "C" NOT NULL,
    host       text   NOT NULL,
    url        text   NOT NULL,
    -- Whose it is, and what limits it is counted with.
    owner      text   COLLATE "C",
    counted_as text   COLLATE "C",
    created_ms bigint NOT NULL,
    live_ms    bigint,
    gone_ms    bigint
);

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

ALTER TABLE operations ADD COLUMN stack text COLLATE "C" REFERENCES stacks (stack);
UPDATE operations SET stack = 'stk_' || substr(COALESCE(removes, id), 5);

ALTER TABLE operations
    ALTER COLUMN stack SET NOT NULL,
    DROP COLUMN name, DROP COLUMN host, DROP COLUMN url, DROP COLUMN owner, DROP COLUMN counted_as;

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
ALTER INDEX deployments_pkey RENAME TO operations_pkey;
ALTER INDEX deployments_removes RENAME TO operations_removes;
ALTER INDEX deployments_removals RENAME TO operations_removals;
ALTER INDEX deployments_claimable RENAME TO operations_claimable;
ALTER INDEX deployments_released RENAME TO operations_released;
ALTER INDEX deployments_stuck RENAME TO operations_stuck;
ALTER INDEX deployments_live RENAME TO operations_live;
ALTER INDEX deployments_tidy RENAME TO operations_tidy;
ALTER INDEX deployments_started RENAME TO operations_started;
DROP INDEX deployments_ended;

-- A replica of an older version that has not ended yet still reads for those who watch it.
CREATE VIEW deployments AS
SELECT id, name, host, url, state, seq, started_ms, completed_ms, lease_owner, lease_token, lease_until_ms, removes,
       retry_of, retried_by, cancel_ms, receipt, tries, due_ms, released_ms, owner, counted_as, panics, kind
FROM operations JOIN stacks USING (stack);
