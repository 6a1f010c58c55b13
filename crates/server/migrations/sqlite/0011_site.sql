-- The standalone site: people and bots, their sessions, one team's worth of talk. Owner: platform.
CREATE TABLE site_users (
    id           TEXT    NOT NULL PRIMARY KEY,
    username     TEXT    NOT NULL UNIQUE,
    email        TEXT    NOT NULL UNIQUE,
    display_name TEXT    NOT NULL,
    roles        TEXT    NOT NULL,
    is_bot       INTEGER NOT NULL,
    delete_at    INTEGER NOT NULL,
    generation   INTEGER NOT NULL,
    doc          TEXT    NOT NULL
) STRICT;
-- Apart from the person, so that nothing that reads people can carry a hash along.
CREATE TABLE site_passwords (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES site_users (id) ON DELETE CASCADE,
    hash    TEXT NOT NULL
) STRICT;
CREATE TABLE site_sessions (
    digest     BLOB    NOT NULL PRIMARY KEY,
    id         TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    csrf       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX site_sessions_by_user ON site_sessions (user_id);
CREATE INDEX site_sessions_by_expiry ON site_sessions (expires_at);
CREATE TABLE site_teams (
    id   TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    doc  TEXT NOT NULL
) STRICT;
CREATE TABLE site_team_members (
    team_id TEXT NOT NULL REFERENCES site_teams (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES site_users (id) ON DELETE CASCADE,
    doc     TEXT NOT NULL,
    PRIMARY KEY (team_id, user_id)
) STRICT;
CREATE INDEX site_team_members_by_user ON site_team_members (user_id);
-- A direct channel has the empty team, and a name made of its two members' ids.
CREATE TABLE site_channels (
    id           TEXT    NOT NULL PRIMARY KEY,
    team_id      TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    last_post_at INTEGER NOT NULL,
    messages     INTEGER NOT NULL,
    root_posts   INTEGER NOT NULL,
    doc          TEXT    NOT NULL,
    UNIQUE (team_id, name)
) STRICT;
CREATE TABLE site_channel_members (
    channel_id TEXT NOT NULL REFERENCES site_channels (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES site_users (id) ON DELETE CASCADE,
    doc        TEXT NOT NULL,
    PRIMARY KEY (channel_id, user_id)
) STRICT;
CREATE INDEX site_channel_members_by_user ON site_channel_members (user_id);
CREATE TABLE site_posts (
    id         TEXT    NOT NULL PRIMARY KEY,
    channel_id TEXT    NOT NULL REFERENCES site_channels (id) ON DELETE CASCADE,
    root_id    TEXT    NOT NULL,
    create_at  INTEGER NOT NULL,
    doc        TEXT    NOT NULL
) STRICT;
CREATE INDEX site_posts_by_channel ON site_posts (channel_id, create_at);
CREATE INDEX site_posts_by_root ON site_posts (root_id);
