-- Old entries of the audit log are deleted by recording a cut-off: the entry that says that those before `cutoff_ms` are
-- purged deletes them itself, the oldest first. Everything else stays forbidden.
ALTER TABLE audit ADD COLUMN cutoff_ms INTEGER CHECK (cutoff_ms IS NULL OR act = 'purge');

-- The entries that have deleted others. `done` is 0 only while the last trigger below runs, so each cut-off works once.
CREATE TABLE audit_purge (number INTEGER PRIMARY KEY, done INTEGER NOT NULL DEFAULT 0 CHECK (done IN (0, 1))) STRICT;

CREATE TRIGGER audit_purge_is_that_of_a_new_cut_off BEFORE INSERT ON audit_purge
    WHEN EXISTS (SELECT 1 FROM audit_purge WHERE number = NEW.number)
        OR NOT EXISTS (SELECT 1 FROM audit WHERE number = NEW.number AND cutoff_ms IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are only ever added: a cut-off works once');
END;
CREATE TRIGGER audit_purge_is_not_changed BEFORE UPDATE ON audit_purge
    WHEN OLD.done = 1 OR NEW.number <> OLD.number
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are only ever added: a cut-off works once');
END;
CREATE TRIGGER audit_purge_is_not_deleted BEFORE DELETE ON audit_purge
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are only ever added: a cut-off works once');
END;

-- A clock that is far ahead must not empty the log: something has happened since the cut-off.
CREATE TRIGGER audit_cut_off_is_earlier_than_an_entry BEFORE INSERT ON audit
    WHEN NEW.cutoff_ms IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM audit WHERE at_ms >= NEW.cutoff_ms AND cutoff_ms IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are only ever added: no entry is later than the cut-off');
END;

DROP TRIGGER audit_is_not_deleted;
CREATE TRIGGER audit_is_deleted_only_by_a_cut_off BEFORE DELETE ON audit
    WHEN NOT EXISTS (
        SELECT 1 FROM audit_purge JOIN audit AS purge ON purge.number = audit_purge.number
        WHERE audit_purge.done = 0 AND OLD.at_ms < purge.cutoff_ms
    )
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are only ever added, and purged by recording a cut-off');
END;

CREATE TRIGGER audit_cut_off_deletes_older_entries AFTER INSERT ON audit
    WHEN NEW.cutoff_ms IS NOT NULL
BEGIN
    INSERT INTO audit_purge (number) VALUES (NEW.number);
    DELETE FROM audit WHERE number IN
        (SELECT number FROM audit WHERE at_ms < NEW.cutoff_ms ORDER BY at_ms LIMIT 20000);
    UPDATE audit_purge SET done = 1 WHERE number = NEW.number;
END;
