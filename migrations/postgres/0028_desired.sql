-- Stacks are stopped and started. An older version would take a stopped stack for one that is lost, and a stop for a
-- deployment, so it must not write any more.
UPDATE schema_generation SET generation = 7;

-- What a stack should be: running or stopped.
ALTER TABLE stacks ADD COLUMN desired TEXT NOT NULL DEFAULT 'running' CHECK (desired IN ('running', 'stopped'));
-- The revision that a stack is made of now.
ALTER TABLE stacks ADD COLUMN revision bigint NOT NULL DEFAULT 1;
