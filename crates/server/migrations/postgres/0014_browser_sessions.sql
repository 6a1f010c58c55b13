-- Sessions of browsers on a host name of the service's own, beside a Mattermost. Owner: platform.
CREATE TABLE browser_sessions (
    digest BYTEA NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX browser_sessions_by_user ON browser_sessions (user_id);
CREATE INDEX browser_sessions_by_end ON browser_sessions (expires_at);
