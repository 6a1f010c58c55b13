-- What is known of Apps (manifests) and what is installed. Owner: apps.
CREATE TABLE manifests (
    app        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    doc        TEXT COLLATE "C" NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE TABLE apps (
    app        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    doc        TEXT COLLATE "C" NOT NULL,
    sealed     BYTEA,
    generation BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
