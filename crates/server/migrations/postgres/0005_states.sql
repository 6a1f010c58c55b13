-- Browser flows that began and have not come back, and completions parked while somebody signs in.
-- Owner: connect.
CREATE TABLE states (
    digest     BYTEA NOT NULL PRIMARY KEY,
    user_id    TEXT COLLATE "C" NOT NULL,
    app        TEXT COLLATE "C" NOT NULL,
    browser    BYTEA NOT NULL,
    redirect   TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX states_by_owner ON states (user_id, app);
CREATE INDEX states_by_expiry ON states (expires_at);
CREATE TABLE parked (
    digest     BYTEA NOT NULL PRIMARY KEY,
    sealed     BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX parked_by_expiry ON parked (expires_at);
