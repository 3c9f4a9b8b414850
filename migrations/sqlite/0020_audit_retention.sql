-- Old entries of the audit log may be deleted once the cut-off is recorded: the newest entry says that those before
-- `cutoff_ms` are purged. Everything else stays forbidden.
ALTER TABLE audit ADD COLUMN cutoff_ms INTEGER CHECK (cutoff_ms IS NULL OR act = 'purge');

DROP TRIGGER audit_is_not_deleted;
CREATE TRIGGER audit_is_deleted_only_after_a_recorded_cut_off BEFORE DELETE ON audit
    WHEN NOT EXISTS (
        SELECT 1 FROM audit AS newest
        WHERE newest.number = (SELECT max(number) FROM audit)
          AND newest.act = 'purge' AND newest.cutoff_ms < newest.at_ms AND OLD.at_ms < newest.cutoff_ms
    )
BEGIN
    SELECT RAISE(ABORT, 'entries of the audit log are only ever added, and purged after a recorded cut-off');
END;
