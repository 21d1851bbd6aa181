-- created: Unix milliseconds, for people; NULL where it was made before anybody noted it.
ALTER TABLE vaults ADD COLUMN created bigint;

-- What front ends keep of a vault for themselves, by their own names; nobody else reads it. etag names the
-- bytes.
CREATE TABLE vault_settings
(
  vault bytea NOT NULL,
  name text COLLATE "C" NOT NULL,
  etag text NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (vault, name)
);
