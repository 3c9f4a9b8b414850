-- The operations that hold something, by their stack: few, however many have ended. The list of the stacks that are not
-- gone looks their deployments up in it.
CREATE INDEX operations_present ON operations (stack) WHERE state <> 'rolled_back';
-- The stacks that somebody has. A browser's are counted as those of its address, so that index does not find them.
CREATE INDEX stacks_present ON stacks (owner) WHERE gone_ms IS NULL;
