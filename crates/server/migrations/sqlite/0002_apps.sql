-- What is known of Apps (manifests) and what is installed. Owner: apps.
CREATE TABLE manifests (
    app        TEXT    NOT NULL PRIMARY KEY,
    doc        TEXT    NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE apps (
    app        TEXT    NOT NULL PRIMARY KEY,
    doc        TEXT    NOT NULL,
    sealed     BLOB,
    generation INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
