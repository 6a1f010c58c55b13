-- The standalone site: people and bots, their sessions, one team's worth of talk. Owner: platform.
CREATE TABLE site_users (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    username TEXT COLLATE "C" NOT NULL UNIQUE,
    email TEXT COLLATE "C" NOT NULL UNIQUE,
    display_name TEXT COLLATE "C" NOT NULL,
    roles TEXT COLLATE "C" NOT NULL,
    is_bot BIGINT NOT NULL,
    delete_at BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    doc TEXT COLLATE "C" NOT NULL
);
-- Apart from the person, so that nothing that reads people can carry a hash along.
CREATE TABLE site_passwords (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES site_users (id) ON DELETE CASCADE,
    hash TEXT COLLATE "C" NOT NULL
);
CREATE TABLE site_sessions (
    digest BYTEA NOT NULL PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    csrf TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX site_sessions_by_user ON site_sessions (user_id);
CREATE INDEX site_sessions_by_expiry ON site_sessions (expires_at);
CREATE TABLE site_teams (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    doc TEXT COLLATE "C" NOT NULL
);
CREATE TABLE site_team_members (
    team_id TEXT COLLATE "C" NOT NULL REFERENCES site_teams (id) ON DELETE CASCADE,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES site_users (id) ON DELETE CASCADE,
    doc TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX site_team_members_by_user ON site_team_members (user_id);
-- A direct channel has the empty team, and a name made of its two members' ids.
CREATE TABLE site_channels (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    team_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    last_post_at BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    root_posts BIGINT NOT NULL,
    doc TEXT COLLATE "C" NOT NULL,
    UNIQUE (team_id, name)
);
CREATE TABLE site_channel_members (
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES site_channels (id) ON DELETE CASCADE,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES site_users (id) ON DELETE CASCADE,
    doc TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (channel_id, user_id)
);
CREATE INDEX site_channel_members_by_user ON site_channel_members (user_id);
CREATE TABLE site_posts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES site_channels (id) ON DELETE CASCADE,
    root_id TEXT COLLATE "C" NOT NULL,
    create_at BIGINT NOT NULL,
    doc TEXT COLLATE "C" NOT NULL
);
CREATE INDEX site_posts_by_channel ON site_posts (channel_id, create_at);
CREATE INDEX site_posts_by_root ON site_posts (root_id);
