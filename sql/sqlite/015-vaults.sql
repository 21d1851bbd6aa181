-- created: Unix milliseconds, for people; NULL where it was made before anybody noted it.
ALTER TABLE vaults ADD COLUMN created INTEGER;

-- What front ends keep of a vault for themselves, by their own names; nobody else reads it. etag names the
-- bytes.
CREATE TABLE vault_settings
(
  vault BLOB NOT NULL,
  name TEXT NOT NULL COLLATE BINARY,
  etag TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (vault, name)
) STRICT;
