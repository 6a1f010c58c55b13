-- What people asked of Apps that they must agree to first: the last of each person and App, for a few minutes. Owner: calls.
CREATE TABLE asked (
    person TEXT COLLATE "C" NOT NULL,
    app TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (person, app)
);
CREATE INDEX asked_by_expiry ON asked (expires_at);
