-- ZeroStor's own tables. Ids are 16 bytes, big-endian, so that they sort as their values do; ticks are the
-- fabric's minute counter; keys compare by the bytes of their UTF-8 (BINARY is memcmp).

-- One row: who the fabric is, its minute counter, and the version of its map.
CREATE TABLE fabric
(
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  fabric BLOB NOT NULL,
  tick INTEGER NOT NULL,
  map_version INTEGER NOT NULL
) STRICT;

-- The index of names. The state behind a name is its grain's.
CREATE TABLE vaults
(
  name TEXT NOT NULL PRIMARY KEY,
  vault BLOB NOT NULL UNIQUE,
  class INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which contents live: the truth. state: 0 open, 1 live, 2 dead. names: how many versions name it. tick: when
-- it was last touched, committed, or died. lived: whether it ever was live. result: what the order that made
-- this row was answered; the same order again is answered that.
CREATE TABLE contents
(
  content BLOB NOT NULL PRIMARY KEY,
  vault BLOB NOT NULL,
  state INTEGER NOT NULL,
  names INTEGER NOT NULL,
  tick INTEGER NOT NULL,
  lived INTEGER NOT NULL,
  result BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX contents_open ON contents (tick) WHERE state = 0;
CREATE INDEX contents_dead ON contents (content, tick) WHERE state = 2;

-- StripeRefs of contents that have too many for a manifest. Pages are up to 64 KiB: a rowid keeps them out of
-- the tree of the keys.
CREATE TABLE pages
(
  content BLOB NOT NULL,
  page INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (content, page)
) STRICT;

-- etag: NULL where it is the version's id. modified: Unix milliseconds, for people.
CREATE TABLE versions
(
  vault BLOB NOT NULL,
  key TEXT NOT NULL COLLATE BINARY,
  seq INTEGER NOT NULL,
  version BLOB NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT,
  modified INTEGER NOT NULL,
  tick INTEGER NOT NULL,
  manifest BLOB NOT NULL,
  PRIMARY KEY (vault, key, seq)
) STRICT, WITHOUT ROWID;

-- Where the counter of a key without a version stands. Only needed until the tick has passed it.
CREATE TABLE counters
(
  vault BLOB NOT NULL,
  key TEXT NOT NULL COLLATE BINARY,
  seq INTEGER NOT NULL,
  PRIMARY KEY (vault, key)
) STRICT, WITHOUT ROWID;

-- The fabric map: whole entries, encoded, by their numbers.
CREATE TABLE disks
(
  number INTEGER PRIMARY KEY,
  entry BLOB NOT NULL
) STRICT;

CREATE TABLE classes
(
  number INTEGER PRIMARY KEY,
  entry BLOB NOT NULL
) STRICT;

CREATE TABLE groups
(
  number INTEGER PRIMARY KEY,
  entry BLOB NOT NULL
) STRICT;

-- Every change of the map, by the version it led to.
CREATE TABLE map_log
(
  version INTEGER PRIMARY KEY,
  tick INTEGER NOT NULL,
  change BLOB NOT NULL
) STRICT;
