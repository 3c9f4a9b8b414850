-- A stack is made of a template. An older version would take a spec of the new form for a damaged one, and undo the
-- deployment, so it must not write any more.
UPDATE schema_generation SET generation = 5;

-- The definitions of the templates that stacks began with, as JSON, by the hash of that. A version has one definition.
CREATE TABLE templates (
    digest        text   COLLATE "C" PRIMARY KEY,
    id            text   COLLATE "C" NOT NULL,
    version       text   COLLATE "C" NOT NULL,
    definition    text   NOT NULL,
    first_used_ms bigint NOT NULL,
    UNIQUE (id, version)
);

-- The template of a stack. Those that began before there were templates have that of the settings.
ALTER TABLE stacks ADD COLUMN template text COLLATE "C" NOT NULL DEFAULT 'default';
