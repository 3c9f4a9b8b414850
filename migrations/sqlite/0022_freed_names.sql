-- The names that became free recently, for the index of names in memory.
CREATE INDEX stacks_gone ON stacks (gone_ms) WHERE live_ms IS NOT NULL AND gone_ms IS NOT NULL;
