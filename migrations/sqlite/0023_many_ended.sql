-- What a portal finds at once however many operations have ended: the stacks of a caller by their begin only
-- among those that are gone, so that nothing else is looked for there; stuck operations in their order; and
-- leases that somebody holds.
DROP INDEX stacks_begun;
CREATE INDEX stacks_begun ON stacks (counted_as, created_ms) WHERE gone_ms IS NOT NULL;
CREATE INDEX operations_stuck_first ON operations (started_ms, id) WHERE state = 'stuck';
CREATE INDEX operations_leased ON operations (lease_owner) WHERE lease_owner IS NOT NULL;
