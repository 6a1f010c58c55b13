-- Data keys, each wrapped by a root key. An App's own key has the empty user. Owner: vault.
CREATE TABLE data_keys (
    id         BYTEA NOT NULL PRIMARY KEY,
    app        TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    wrapped    BYTEA NOT NULL,
    root_key   TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (app, user_id)
);
