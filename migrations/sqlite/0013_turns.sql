-- Work that one portal does for all of them, whose turn it is, and what it last came to.
CREATE TABLE turns (
    name     TEXT    PRIMARY KEY,
    owner    TEXT    NOT NULL,
    until_ms INTEGER NOT NULL,
    report   TEXT
) STRICT, WITHOUT ROWID;
