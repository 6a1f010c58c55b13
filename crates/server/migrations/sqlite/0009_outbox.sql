-- What must still happen, and what became of it: grants to be ended at their providers, words to people. Owner: grants.
CREATE TABLE outbox (
    id         TEXT    NOT NULL PRIMARY KEY,
    kind       INTEGER NOT NULL,
    app        TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    about      TEXT    NOT NULL,
    sealed     BLOB,
    due_at     INTEGER,
    attempts   INTEGER NOT NULL DEFAULT 0,
    outcome    TEXT    NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_by_user ON outbox (user_id, created_at);
