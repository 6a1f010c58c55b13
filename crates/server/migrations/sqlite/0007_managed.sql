-- What a managed connection has besides: the service refreshes its token. Owner: grants.
-- `sealed` is what the App is given; `held` is what the App never sees, a refresh token above all.
ALTER TABLE connections ADD COLUMN held BLOB;
ALTER TABLE connections ADD COLUMN expires_at INTEGER;
ALTER TABLE connections ADD COLUMN issued_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN due_at INTEGER;
ALTER TABLE connections ADD COLUMN status INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN phase INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN answered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE connections ADD COLUMN about TEXT NOT NULL DEFAULT '';
CREATE INDEX connections_due ON connections (due_at) WHERE due_at IS NOT NULL;
