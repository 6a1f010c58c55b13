-- The OAuth2 app record of each App, sealed. Owner: grants.
CREATE TABLE credentials (
    app        TEXT    NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL,
    sealed     BLOB    NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT    NOT NULL
) STRICT;
