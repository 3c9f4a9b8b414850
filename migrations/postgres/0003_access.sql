-- Who owns what, what is counted together, who signs in, and who did what. What opens a door is
-- held as its digest only: whoever reads this has no key. Times are Unix milliseconds.
ALTER TABLE deployments
    ADD COLUMN owner      text COLLATE "C",
    ADD COLUMN counted_as text COLLATE "C";

-- What counts against a limit: what is there, and what began lately.
CREATE INDEX deployments_counted ON deployments (counted_as)
    WHERE state <> 'rolled_back' AND removes IS NULL;
CREATE INDEX deployments_begun ON deployments (counted_as, started_ms) WHERE removes IS NULL;
-- When a name became free.
CREATE INDEX deployments_freed ON deployments (name, released_ms)
    WHERE removes IS NOT NULL AND released_ms IS NOT NULL;
-- Lists, newest first.
CREATE INDEX deployments_started ON deployments (started_ms, id);
CREATE INDEX deployments_owned ON deployments (owner, started_ms, id) WHERE owner IS NOT NULL;

CREATE TABLE people (
    owner   text   COLLATE "C" PRIMARY KEY,
    issuer  text   COLLATE "C" NOT NULL,
    subject text   COLLATE "C" NOT NULL,
    name    text   NOT NULL,
    role    text   NOT NULL CHECK (role IN ('member', 'operator')),
    seen_ms bigint NOT NULL,
    UNIQUE (issuer, subject)
);
CREATE INDEX people_seen ON people (seen_ms);

CREATE TABLE sessions (
    digest  text   COLLATE "C" PRIMARY KEY,
    person  text   COLLATE "C" NOT NULL REFERENCES people (owner) ON DELETE CASCADE,
    idle_ms bigint NOT NULL,
    ends_ms bigint NOT NULL,
    CHECK (idle_ms <= ends_ms)
);
CREATE INDEX sessions_person ON sessions (person);
CREATE INDEX sessions_expiry ON sessions (idle_ms);

-- Sign-ins that were sent to the provider and are not back yet.
CREATE TABLE sign_ins (
    browser    text   COLLATE "C" PRIMARY KEY,
    state      text   NOT NULL,
    nonce      text   NOT NULL,
    verifier   text   NOT NULL,
    return_to  text   NOT NULL,
    expires_ms bigint NOT NULL
);
CREATE INDEX sign_ins_expiry ON sign_ins (expires_ms);

CREATE TABLE tokens (
    id         text   COLLATE "C" PRIMARY KEY,
    digest     text   COLLATE "C" NOT NULL UNIQUE,
    person     text   COLLATE "C" NOT NULL REFERENCES people (owner) ON DELETE CASCADE,
    name       text   NOT NULL,
    scope      text   NOT NULL CHECK (scope IN ('read', 'deploy')),
    made_ms    bigint NOT NULL,
    expires_ms bigint NOT NULL,
    used_ms    bigint,
    revoked_ms bigint
);
CREATE INDEX tokens_person ON tokens (person, made_ms);

CREATE TABLE audit (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms   bigint NOT NULL,
    who     text   COLLATE "C" NOT NULL,
    act     text   NOT NULL,
    target  text   COLLATE "C",
    address text,
    outcome text   NOT NULL
);
CREATE INDEX audit_at ON audit (at_ms);
CREATE INDEX audit_who ON audit (who, number);
CREATE INDEX audit_target ON audit (target, number);

-- Entries are only ever added.
CREATE FUNCTION refuse_to_change_the_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the audit log are only ever added';
END;
$$;
CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_audit_log();
