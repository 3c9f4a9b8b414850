-- A revision belongs to a stack, and a secret to a revision. An older version would look for both by a deployment, so it
-- must not write any more.
UPDATE schema_generation SET generation = 4;

-- The revision of the stack that an operation begins with, and the one that it makes.
ALTER TABLE operations ADD COLUMN from_revision bigint;
ALTER TABLE operations ADD COLUMN to_revision bigint;
UPDATE operations SET from_revision = 1 WHERE removes IS NOT NULL;
UPDATE operations SET to_revision = 1 WHERE removes IS NULL;

ALTER TABLE revisions RENAME TO older_revisions;
ALTER TABLE sealed_secrets RENAME TO older_secrets;
DROP INDEX sealed_secrets_key;
ALTER INDEX revisions_pkey RENAME TO older_revisions_pkey;
ALTER INDEX sealed_secrets_pkey RENAME TO older_secrets_pkey;

-- What a stack is made of, but for its secrets, as JSON, and where that comes from.
CREATE TABLE revisions (
    stack    text   COLLATE "C" NOT NULL REFERENCES stacks (stack) ON DELETE CASCADE,
    revision bigint NOT NULL,
    origin   text   NOT NULL,
    spec     text   NOT NULL,
    PRIMARY KEY (stack, revision)
);

-- The secrets that a spec refers to. Each is encrypted under a key of its own, and that under the portal's key with
-- this id; both are bound to the revision and the name, or, where an older version wrote them, to the deployment that
-- made the stack and the name.
CREATE TABLE sealed_secrets (
    stack       text   COLLATE "C" NOT NULL,
    revision    bigint NOT NULL,
    name        text   COLLATE "C" NOT NULL,
    key_id      text   COLLATE "C" NOT NULL,
    wrapped_key bytea  NOT NULL,
    ciphertext  bytea  NOT NULL,
    fingerprint text   NOT NULL,
    PRIMARY KEY (stack, revision, name),
    FOREIGN KEY (stack, revision) REFERENCES revisions (stack, revision) ON DELETE CASCADE
);
CREATE INDEX sealed_secrets_key ON sealed_secrets (key_id);

INSERT INTO revisions
SELECT stack, number, 'begun', spec FROM older_revisions JOIN operations ON id = deployment_id;
INSERT INTO sealed_secrets
SELECT stack, 1, name, key_id, wrapped_key, ciphertext, fingerprint
FROM older_secrets JOIN operations ON id = deployment_id;
DROP TABLE older_secrets;
DROP TABLE older_revisions;
