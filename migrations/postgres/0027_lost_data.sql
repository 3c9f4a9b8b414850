-- The time since which the platform has shown that no volume of kept data exists any more. An older version ignores it:
-- it would bring such data back as an empty volume, and delete it like other data.
ALTER TABLE kept_data ADD COLUMN lost_ms bigint;
