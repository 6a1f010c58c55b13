-- One user's (or bot's) OAuth2 record with one App, sealed. Owner: grants.
CREATE TABLE connections (
    app        TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    kind       INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (app, user_id)
) STRICT;
CREATE INDEX connections_by_user ON connections (user_id, app);
-- Apart from the record, so that noting a use does not write the record again.
CREATE TABLE connection_uses (
    app     TEXT    NOT NULL,
    user_id TEXT    NOT NULL,
    used_at INTEGER NOT NULL,
    used_by TEXT    NOT NULL,
    PRIMARY KEY (app, user_id),
    FOREIGN KEY (app, user_id) REFERENCES connections (app, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
