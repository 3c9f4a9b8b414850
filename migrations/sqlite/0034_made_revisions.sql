-- A stack has several revisions. Each says which operation made it, who asked for that and when, and what became of it;
-- that is empty while the operation is under way.
ALTER TABLE revisions ADD COLUMN outcome TEXT
    CHECK (outcome IN ('live', 'reverted', 'never_live', 'untried', 'unknown'));
ALTER TABLE revisions ADD COLUMN made TEXT;
ALTER TABLE revisions ADD COLUMN made_by TEXT;
ALTER TABLE revisions ADD COLUMN made_ms INTEGER;

-- The deployment made the first one, and of older versions there is no other.
UPDATE revisions SET
    outcome = (
        SELECT CASE WHEN origin = 'assumed' THEN 'unknown' WHEN live_ms IS NOT NULL THEN 'live'
                    WHEN gone_ms IS NOT NULL THEN 'never_live' END
        FROM stacks WHERE stacks.stack = revisions.stack
    ),
    made = 'dep_' || substr(stack, 5),
    made_by = (SELECT owner FROM stacks WHERE stacks.stack = revisions.stack),
    made_ms = (SELECT created_ms FROM stacks WHERE stacks.stack = revisions.stack);

-- What its owner calls it.
ALTER TABLE stacks ADD COLUMN label TEXT;
