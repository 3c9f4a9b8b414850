-- How often each stack was looked at on each day (UTC, as days since 1970) while it should run, and with what result.
CREATE TABLE health_looks (
    stack   text   COLLATE "C" NOT NULL REFERENCES stacks (stack) ON DELETE CASCADE,
    day     bigint NOT NULL,
    good    bigint NOT NULL DEFAULT 0,
    bad     bigint NOT NULL DEFAULT 0,
    unknown bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (stack, day)
);
CREATE INDEX health_looks_day ON health_looks (day);
