-- Who owns what, what is counted together, who signs in, and who did what. What opens a door is
-- held as its digest only: whoever reads this has no key. Times are Unix milliseconds.
ALTER TABLE deployments ADD COLUMN owner      TEXT;
ALTER TABLE deployments ADD COLUMN counted_as TEXT;

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
    owner   TEXT    PRIMARY KEY,
    issuer  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    role    TEXT    NOT NULL CHECK (role IN ('member', 'operator')),
    seen_ms INTEGER NOT NULL,
    UNIQUE (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX people_seen ON people (seen_ms);

CREATE TABLE sessions (
    digest  TEXT    PRIMARY KEY,
    person  TEXT    NOT NULL REFERENCES people (owner) ON DELETE CASCADE,
    idle_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    CHECK (idle_ms <= ends_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_person ON sessions (person);
CREATE INDEX sessions_expiry ON sessions (idle_ms);

-- Sign-ins that were sent to the provider and are not back yet.
CREATE TABLE sign_ins (
    browser    TEXT    PRIMARY KEY,
    state      TEXT    NOT NULL,
    nonce      TEXT    NOT NULL,
    verifier   TEXT    NOT NULL,
    return_to  TEXT    NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_ins_expiry ON sign_ins (expires_ms);

CREATE TABLE tokens (
    id         TEXT    PRIMARY KEY,
    digest     TEXT    NOT NULL UNIQUE,
    person     TEXT    NOT NULL REFERENCES people (owner) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    scope      TEXT    NOT NULL CHECK (scope IN ('read', 'deploy')),
    made_ms    INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms    INTEGER,
    revoked_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_person ON tokens (person, made_ms);

CREATE TABLE audit (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    act     TEXT    NOT NULL,
    target  TEXT,
    address TEXT,
    outcome TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at_ms);
CREATE INDEX audit_who ON audit (who, number);
CREATE INDEX audit_target ON audit (target, number);

-- Entries are only ever added. REPLACE would take the old one away without asking the others.
CREATE TRIGGER audit_keeps_its_numbers BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE number = NEW.number)
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are only ever added');
END;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are only ever added');
END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are only ever added');
END;
