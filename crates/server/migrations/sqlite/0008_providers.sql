-- The provider record of an App: with it, its connections are managed. Owner: grants.
CREATE TABLE providers (
    app        TEXT    NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL,
    document   TEXT    NOT NULL,
    fault      TEXT    NOT NULL DEFAULT '',
    fault_at   INTEGER NOT NULL DEFAULT 0,
    pkce       TEXT    NOT NULL DEFAULT '',
    updated_at INTEGER NOT NULL,
    updated_by TEXT    NOT NULL
) STRICT;
-- What a flow with a managed App keeps until it comes back, sealed: the proof key above all. Owner: connect.
ALTER TABLE states ADD COLUMN flow BLOB;
