-- Stacks have volumes. An older version would not mount them, and could not read the receipts that name them, so it must
-- not write any more.
UPDATE schema_generation SET generation = 6;

-- What a removal does with the data of its stack: keep or delete. NULL: an older version began it, whose stacks have
-- no data.
ALTER TABLE operations ADD COLUMN disposal text COLLATE "C";
