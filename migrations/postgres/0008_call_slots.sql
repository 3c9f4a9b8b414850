-- Calls that change something on the platform and may be under way, bounded over all portals.

CREATE TABLE call_slots (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    portal TEXT NOT NULL,
    -- When the call can have no effect any more, should nobody say how it ended.
    until_ms BIGINT NOT NULL,
    -- Whether its answer was lost.
    is_lost BOOLEAN NOT NULL DEFAULT FALSE
);

-- The oldest operation that waits for a slot, for each portal, and when it last asked.
CREATE TABLE call_waiters (
    portal TEXT NOT NULL,
    kind TEXT NOT NULL,
    age_ms BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    PRIMARY KEY (portal, kind)
);

-- Takes a slot in one round trip, one portal after the other: 'taken', 'wait' or 'doubt'.
CREATE FUNCTION take_call_slot(
    slot_id TEXT, slot_kind TEXT, taker TEXT, taker_age_ms BIGINT, now_ms BIGINT,
    slot_until_ms BIGINT, most_each INTEGER, most INTEGER, is_well BOOLEAN
) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
    used INTEGER;
    own INTEGER;
    older INTEGER;
BEGIN
    PERFORM pg_advisory_xact_lock(5713207);
    IF is_well IS NULL
        AND EXISTS (SELECT FROM call_slots WHERE is_lost OR until_ms <= now_ms) THEN
        RETURN 'doubt';
    END IF;
    IF is_well THEN
        DELETE FROM call_slots WHERE until_ms <= now_ms;
    END IF;
    SELECT count(*), count(*) FILTER (WHERE portal = taker) INTO used, own
        FROM call_slots WHERE kind = slot_kind;
    IF own >= most_each THEN
        DELETE FROM call_waiters WHERE portal = taker AND kind = slot_kind;
        RETURN 'wait';
    END IF;
    -- Whoever has not asked for two seconds is gone, or waits no longer.
    SELECT count(*) INTO older FROM call_waiters
        WHERE kind = slot_kind AND portal <> taker AND age_ms < taker_age_ms
            AND seen_ms > now_ms - 2000;
    IF used + older >= most THEN
        INSERT INTO call_waiters (portal, kind, age_ms, seen_ms)
            VALUES (taker, slot_kind, taker_age_ms, now_ms)
            ON CONFLICT (portal, kind) DO UPDATE
            SET age_ms = excluded.age_ms, seen_ms = excluded.seen_ms;
        RETURN 'wait';
    END IF;
    DELETE FROM call_waiters WHERE portal = taker AND kind = slot_kind;
    INSERT INTO call_slots (id, kind, portal, until_ms)
        VALUES (slot_id, slot_kind, taker, slot_until_ms);
    RETURN 'taken';
END $$;
