-- Sessions of browsers on a host name of the service's own, beside a Mattermost. Owner: platform.
CREATE TABLE browser_sessions (
    digest     BLOB NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX browser_sessions_by_user ON browser_sessions (user_id);
CREATE INDEX browser_sessions_by_end ON browser_sessions (expires_at);
