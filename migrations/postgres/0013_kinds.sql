-- The kind of each operation, by its name in the program's table of kinds. A row without one was written by an older
-- version, which knows deployments and removals only.
ALTER TABLE deployments ADD COLUMN kind TEXT;
UPDATE deployments SET kind = CASE WHEN removes IS NULL THEN 'deploy' ELSE 'remove' END;
