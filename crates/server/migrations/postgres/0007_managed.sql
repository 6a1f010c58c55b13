-- What a managed connection has besides: the service refreshes its token. Owner: grants.
-- `sealed` is what the App is given; `held` is what the App never sees, a refresh token above all.
ALTER TABLE connections ADD COLUMN held BYTEA;
ALTER TABLE connections ADD COLUMN expires_at BIGINT;
ALTER TABLE connections ADD COLUMN issued_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN due_at BIGINT;
ALTER TABLE connections ADD COLUMN status BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN code TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN phase BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN answered BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN client TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN about TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX connections_due ON connections (due_at) WHERE due_at IS NOT NULL;
