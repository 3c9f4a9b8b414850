-- A stop stores more than an older version reads of it, and a spec can come from the platform's row of a stack. An older
-- version would take both for damaged, so it must not write any more.
UPDATE schema_generation SET generation = 8;
