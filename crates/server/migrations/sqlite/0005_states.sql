-- Browser flows that began and have not come back, and completions parked while somebody signs in.
-- Owner: connect.
CREATE TABLE states (
    digest     BLOB    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL,
    app        TEXT    NOT NULL,
    browser    BLOB    NOT NULL,
    redirect   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX states_by_owner ON states (user_id, app);
CREATE INDEX states_by_expiry ON states (expires_at);
CREATE TABLE parked (
    digest     BLOB    NOT NULL PRIMARY KEY,
    sealed     BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX parked_by_expiry ON parked (expires_at);
