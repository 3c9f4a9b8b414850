-- What each operation works by. An older version would finish an operation by its own settings instead, so it must not
-- write any more.
UPDATE schema_generation SET generation = 2;

-- What a stack is made of, but for its secrets, as JSON. The stack is known by the deployment that creates it.
CREATE TABLE revisions (
    deployment_id text   COLLATE "C" NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    number        bigint NOT NULL,
    spec          text   NOT NULL,
    PRIMARY KEY (deployment_id, number)
);

-- The secrets that a spec refers to. Each is encrypted under a key of its own, and that under the portal's key with
-- this id; both are bound to the stack and the name.
CREATE TABLE sealed_secrets (
    deployment_id text  COLLATE "C" NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
    name          text  COLLATE "C" NOT NULL,
    key_id        text  COLLATE "C" NOT NULL,
    wrapped_key   bytea NOT NULL,
    ciphertext    bytea NOT NULL,
    fingerprint   text  NOT NULL,
    PRIMARY KEY (deployment_id, name)
);
CREATE INDEX sealed_secrets_key ON sealed_secrets (key_id);
