-- Tokens that Apps act with. At most one of each (App, user) is handed out again. Owner: platform.
CREATE TABLE app_tokens (
    digest BYTEA NOT NULL PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    app TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    current BIGINT NOT NULL,
    roles TEXT COLLATE "C" NOT NULL,
    props TEXT COLLATE "C" NOT NULL,
    csrf TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX app_tokens_current ON app_tokens (app, user_id) WHERE current = 1;
CREATE INDEX app_tokens_by_user ON app_tokens (user_id);
CREATE INDEX app_tokens_by_app ON app_tokens (app);
CREATE INDEX app_tokens_by_expiry ON app_tokens (expires_at);
