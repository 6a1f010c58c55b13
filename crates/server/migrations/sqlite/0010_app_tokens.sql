-- Tokens that Apps act with. At most one of each (App, user) is handed out again. Owner: platform.
CREATE TABLE app_tokens (
    digest     BLOB    NOT NULL PRIMARY KEY,
    id         TEXT    NOT NULL,
    app        TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    sealed     BLOB    NOT NULL,
    current    INTEGER NOT NULL,
    roles      TEXT    NOT NULL,
    props      TEXT    NOT NULL,
    csrf       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX app_tokens_current ON app_tokens (app, user_id) WHERE current = 1;
CREATE INDEX app_tokens_by_user ON app_tokens (user_id);
CREATE INDEX app_tokens_by_app ON app_tokens (app);
CREATE INDEX app_tokens_by_expiry ON app_tokens (expires_at);
