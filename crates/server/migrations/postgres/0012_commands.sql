-- Slash commands that were registered at a Mattermost, one for each team of an App. Owner: platform.
CREATE TABLE commands (
    app TEXT COLLATE "C" NOT NULL,
    team TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    word TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    PRIMARY KEY (app, team)
);
CREATE INDEX commands_by_digest ON commands (digest);
