-- What must still happen, and what became of it: grants to be ended at their providers, words to people. Owner: grants.
CREATE TABLE outbox (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind       BIGINT NOT NULL,
    app        TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    about      TEXT COLLATE "C" NOT NULL,
    sealed     BYTEA,
    due_at     BIGINT,
    attempts   BIGINT NOT NULL DEFAULT 0,
    outcome    TEXT COLLATE "C" NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    ended_at   BIGINT
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_by_user ON outbox (user_id, created_at);
