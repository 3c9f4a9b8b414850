-- The data of stacks that are gone, which somebody wanted to keep until a time: the volumes by their keys, as JSON. While
-- the stack is being removed, kept_ms is NULL; used_by is the new stack that has the data now; deleting is 1 once an
-- operation deletes it.
CREATE TABLE kept_data (
    stack    text   COLLATE "C" PRIMARY KEY,
    volumes  text   NOT NULL,
    until_ms bigint NOT NULL,
    kept_ms  bigint,
    used_by  text   COLLATE "C",
    deleting bigint NOT NULL DEFAULT 0
);

CREATE INDEX kept_data_used_by ON kept_data (used_by) WHERE used_by IS NOT NULL;
