-- What people asked of Apps that they must agree to first: the last of each person and App, for a few minutes. Owner: calls.
CREATE TABLE asked (
    person     TEXT NOT NULL,
    app        TEXT NOT NULL,
    digest     BLOB NOT NULL,
    sealed     BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (person, app)
) STRICT;
CREATE INDEX asked_by_expiry ON asked (expires_at);
