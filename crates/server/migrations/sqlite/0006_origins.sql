-- Where each App has sent browsers to connect. Owner: connect.
CREATE TABLE origins (
    app        TEXT    NOT NULL,
    origin     TEXT    NOT NULL,
    first_seen INTEGER NOT NULL,
    PRIMARY KEY (app, origin)
) STRICT, WITHOUT ROWID;
