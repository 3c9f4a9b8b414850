-- A stack is made of a template. An older version would take a spec of the new form for a damaged one, and undo the
-- deployment, so it must not write any more.
UPDATE schema_generation SET generation = 5;

-- The definitions of the templates that stacks began with, as JSON, by the hash of that. A version has one definition.
CREATE TABLE templates (
    digest        TEXT    NOT NULL PRIMARY KEY,
    id            TEXT    NOT NULL,
    version       TEXT    NOT NULL,
    definition    TEXT    NOT NULL,
    first_used_ms INTEGER NOT NULL,
    UNIQUE (id, version)
) STRICT, WITHOUT ROWID;

-- The template of a stack. Those that began before there were templates have that of the settings.
ALTER TABLE stacks ADD COLUMN template TEXT NOT NULL DEFAULT 'default';
