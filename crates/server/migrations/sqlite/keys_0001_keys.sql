-- Data keys, each wrapped by a root key. An App's own key has the empty user. Owner: vault.
CREATE TABLE data_keys (
    id         BLOB    NOT NULL PRIMARY KEY,
    app        TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    wrapped    BLOB    NOT NULL,
    root_key   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (app, user_id)
) STRICT;
