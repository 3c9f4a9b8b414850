-- How often each stack was looked at on each day (UTC, as days since 1970) while it should run, and with what result.
CREATE TABLE health_looks (
    stack   TEXT    NOT NULL REFERENCES stacks (stack) ON DELETE CASCADE,
    day     INTEGER NOT NULL,
    good    INTEGER NOT NULL DEFAULT 0,
    bad     INTEGER NOT NULL DEFAULT 0,
    unknown INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (stack, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX health_looks_day ON health_looks (day);
