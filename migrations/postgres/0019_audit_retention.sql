-- Old entries of the audit log may be deleted once the cut-off is recorded: an entry of the same transaction says that
-- those before `cutoff_ms` are purged. Everything else stays forbidden.
ALTER TABLE audit ADD COLUMN cutoff_ms bigint CHECK (cutoff_ms IS NULL OR act = 'purge');
CREATE INDEX audit_purges ON audit (number) WHERE act = 'purge';

DROP TRIGGER audit_is_only_added_to ON audit;
CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_audit_log();

CREATE FUNCTION refuse_to_delete_without_a_recorded_cut_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM audit
    WHERE number = (SELECT max(number) FROM audit WHERE act = 'purge')
      AND cutoff_ms < at_ms AND OLD.at_ms < cutoff_ms AND xmin = pg_current_xact_id()::xid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'entries of the audit log are only ever added, and purged after a recorded cut-off';
    END IF;
    RETURN OLD;
END;
$$;
CREATE TRIGGER audit_is_deleted_only_after_a_recorded_cut_off BEFORE DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_to_delete_without_a_recorded_cut_off();
