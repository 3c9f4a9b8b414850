-- A change can add volumes to a stack. An older version would neither mount nor remove them, so it must not write any more.
UPDATE schema_generation SET generation = 9;
