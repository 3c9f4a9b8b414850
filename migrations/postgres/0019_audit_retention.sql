-- Old entries of the audit log are deleted by recording a cut-off: the entry that says that those before `cutoff_ms` are
-- purged deletes them itself, the oldest first. Everything else stays forbidden.
ALTER TABLE audit ADD COLUMN cutoff_ms bigint CHECK (cutoff_ms IS NULL OR act = 'purge');
CREATE INDEX audit_purges ON audit (number) WHERE act = 'purge';

DROP TRIGGER audit_is_only_added_to ON audit;
CREATE TRIGGER audit_is_only_added_to BEFORE UPDATE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_audit_log();

-- A clock that is far ahead must not empty the log: something has happened since the cut-off.
CREATE FUNCTION refuse_a_cut_off_that_no_entry_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM audit WHERE at_ms >= NEW.cutoff_ms AND cutoff_ms IS NULL LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'entries of the audit log are only ever added: no entry is later than the cut-off';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER audit_cut_off_is_earlier_than_an_entry BEFORE INSERT ON audit
    FOR EACH ROW WHEN (NEW.cutoff_ms IS NOT NULL) EXECUTE FUNCTION refuse_a_cut_off_that_no_entry_follows();

CREATE FUNCTION refuse_to_delete_without_a_recorded_cut_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM audit
    WHERE number = (SELECT max(number) FROM audit WHERE act = 'purge')
      AND OLD.at_ms < cutoff_ms AND xmin = pg_current_xact_id()::xid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'entries of the audit log are only ever added, and purged by recording a cut-off';
    END IF;
    RETURN OLD;
END;
$$;
CREATE TRIGGER audit_is_deleted_only_by_a_cut_off BEFORE DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_to_delete_without_a_recorded_cut_off();

CREATE FUNCTION delete_before_the_recorded_cut_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM audit WHERE number IN
        (SELECT number FROM audit WHERE at_ms < NEW.cutoff_ms ORDER BY at_ms LIMIT 20000);
    RETURN NULL;
END;
$$;
CREATE TRIGGER audit_cut_off_deletes_older_entries AFTER INSERT ON audit
    FOR EACH ROW WHEN (NEW.cutoff_ms IS NOT NULL) EXECUTE FUNCTION delete_before_the_recorded_cut_off();
