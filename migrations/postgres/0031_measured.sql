-- What stacks used, added up in steps of 15 seconds, five minutes and an hour. `at` is the beginning of a step in seconds
-- since 1970. The CPU time is in millionths of a CPU, memory and traffic are in bytes; traffic counts from the start of the container.
CREATE TABLE measured (
    stack    text   COLLATE "C" NOT NULL REFERENCES stacks (stack) ON DELETE CASCADE,
    step     bigint NOT NULL,
    at       bigint NOT NULL,
    samples  bigint NOT NULL,
    cpu      bigint NOT NULL,
    memory   bigint NOT NULL,
    received bigint NOT NULL,
    sent     bigint NOT NULL,
    PRIMARY KEY (stack, step, at)
);
CREATE INDEX measured_at ON measured (step, at);
