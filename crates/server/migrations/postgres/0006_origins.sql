-- Where each App has sent browsers to connect. Owner: connect.
CREATE TABLE origins (
    app        TEXT COLLATE "C" NOT NULL,
    origin     TEXT COLLATE "C" NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (app, origin)
);
