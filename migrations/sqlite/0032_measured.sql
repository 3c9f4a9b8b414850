-- What stacks used, added up in steps of 15 seconds, five minutes and an hour. `at` is the beginning of a step in seconds
-- since 1970. The CPU time is in millionths of a CPU, memory and traffic are in bytes; traffic counts from the start of the container.
CREATE TABLE measured (
    stack    TEXT    NOT NULL REFERENCES stacks (stack) ON DELETE CASCADE,
    step     INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    samples  INTEGER NOT NULL,
    cpu      INTEGER NOT NULL,
    memory   INTEGER NOT NULL,
    received INTEGER NOT NULL,
    sent     INTEGER NOT NULL,
    PRIMARY KEY (stack, step, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX measured_at ON measured (step, at);
