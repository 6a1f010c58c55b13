-- The provider record of an App: with it, its connections are managed. Owner: grants.
CREATE TABLE providers (
    app        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL,
    document   TEXT COLLATE "C" NOT NULL,
    fault      TEXT COLLATE "C" NOT NULL DEFAULT '',
    fault_at   BIGINT NOT NULL DEFAULT 0,
    pkce       TEXT COLLATE "C" NOT NULL DEFAULT '',
    updated_at BIGINT NOT NULL,
    updated_by TEXT COLLATE "C" NOT NULL
);
-- What a flow with a managed App keeps until it comes back, sealed: the proof key above all. Owner: connect.
ALTER TABLE states ADD COLUMN flow BYTEA;
