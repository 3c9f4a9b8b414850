-- The events of each stack: its own sequence over its whole life, without gaps. The number of the last one is in its row,
-- which is locked while one is added. An older version would add none, but it cannot write since generation 7.
ALTER TABLE stacks ADD COLUMN last_event bigint NOT NULL DEFAULT 0;
CREATE TABLE stack_events (
    stack text   COLLATE "C" NOT NULL REFERENCES stacks (stack) ON DELETE CASCADE,
    seq   bigint NOT NULL,
    at_ms bigint NOT NULL,
    -- What happened, as JSON.
    body  text   NOT NULL,
    PRIMARY KEY (stack, seq)
);

-- Since when a stack that should run has not worked, and why, as JSON; and when it expires.
ALTER TABLE stacks ADD COLUMN unhealthy_ms bigint;
ALTER TABLE stacks ADD COLUMN unhealthy_why text;
ALTER TABLE stacks ADD COLUMN expires_ms bigint;
CREATE INDEX stacks_expire ON stacks (expires_ms) WHERE expires_ms IS NOT NULL AND gone_ms IS NULL;

-- What operations of older versions tell: that they began and ended, and that a stack came up.
INSERT INTO stack_events (stack, seq, at_ms, body)
WITH known AS (
    SELECT id, stack, started_ms, COALESCE(completed_ms, started_ms) AS completed_ms, state,
           COALESCE(kind, CASE WHEN removes IS NULL THEN 'deploy' ELSE 'remove' END) AS kind, cancel_ms,
           removes IS NULL AND (state = 'live' OR state = 'rolled_back' AND EXISTS
               (SELECT 1 FROM operations AS removal WHERE removal.removes = operations.id)) AS came_up,
           removes IS NOT NULL AS is_removal
    FROM operations
), told AS (
    SELECT stack, started_ms AS at_ms, started_ms, id, 0 AS part,
           '{"event":"operation_begun","operation":"' || id || '","kind":"' || kind || '"}' AS body
    FROM known
    UNION ALL
    SELECT stack, completed_ms, started_ms, id, 1,
           '{"event":"operation_ended","operation":"' || id || '","kind":"' || kind || '","outcome":"'
           || CASE WHEN came_up OR is_removal AND state = 'rolled_back' THEN 'done'
                   WHEN cancel_ms IS NOT NULL THEN 'cancelled' ELSE 'failed' END || '"'
           || CASE WHEN came_up THEN ',"leaves":"live"'
                   WHEN state = 'rolled_back' THEN ',"leaves":"gone"' ELSE '' END || '}'
    FROM known WHERE state <> 'active'
    UNION ALL
    SELECT stack, completed_ms, started_ms, id, 2, '{"event":"revision_live","revision":1}'
    FROM known WHERE came_up
)
SELECT stack, row_number() OVER (PARTITION BY stack ORDER BY started_ms, id, part), at_ms, body FROM told;
UPDATE stacks SET last_event = (SELECT count(*) FROM stack_events WHERE stack_events.stack = stacks.stack);
