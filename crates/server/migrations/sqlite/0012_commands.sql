-- Slash commands that were registered at a Mattermost, one for each team of an App. Owner: platform.
CREATE TABLE commands (
    app     TEXT NOT NULL,
    team    TEXT NOT NULL,
    id      TEXT NOT NULL,
    word TEXT NOT NULL,
    url     TEXT NOT NULL,
    digest  BLOB NOT NULL,
    PRIMARY KEY (app, team)
) STRICT;
CREATE INDEX commands_by_digest ON commands (digest);
