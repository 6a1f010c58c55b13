-- One user's (or bot's) OAuth2 record with one App, sealed. Owner: grants.
CREATE TABLE connections (
    app        TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    kind       BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (app, user_id)
);
CREATE INDEX connections_by_user ON connections (user_id, app);
-- Apart from the record, so that noting a use does not write the record again.
CREATE TABLE connection_uses (
    app     TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    used_at BIGINT NOT NULL,
    used_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (app, user_id),
    FOREIGN KEY (app, user_id) REFERENCES connections (app, user_id) ON DELETE CASCADE
);
