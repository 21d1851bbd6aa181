-- ZeroStor's own tables, as on SQLite: ids are 16 bytes, big-endian, so that they sort as their values do; ticks are
-- the fabric's minute counter; keys compare by the bytes of their UTF-8 (COLLATE "C" is memcmp). All numbers are
-- bigint, so that they are read alike from every database.

-- One row: who the fabric is, its minute counter, and the version of its map.
CREATE TABLE fabric
(
  only_row bigint PRIMARY KEY CHECK (only_row = 1),
  fabric bytea NOT NULL,
  tick bigint NOT NULL,
  map_version bigint NOT NULL
);

-- The index of names. The state behind a name is its grain's.
CREATE TABLE vaults
(
  name text COLLATE "C" NOT NULL PRIMARY KEY,
  vault bytea NOT NULL UNIQUE,
  class bigint NOT NULL
);

-- Which contents live: the truth. state: 0 open, 1 live, 2 dead. names: how many versions name it. tick: when
-- it was last touched, committed, or died. lived: whether it ever was live. result: what the order that made
-- this row was answered; the same order again is answered that.
CREATE TABLE contents
(
  content bytea NOT NULL PRIMARY KEY,
  vault bytea NOT NULL,
  state bigint NOT NULL,
  names bigint NOT NULL,
  tick bigint NOT NULL,
  lived bigint NOT NULL,
  result bytea
);

CREATE INDEX contents_open ON contents (tick) WHERE state = 0;
CREATE INDEX contents_dead ON contents (content, tick) WHERE state = 2;

-- StripeRefs of contents that have too many for a manifest. Sealed keys, ids and digests do not compress: EXTERNAL
-- keeps PostgreSQL from trying.
CREATE TABLE pages
(
  content bytea NOT NULL,
  page bigint NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (content, page)
);

ALTER TABLE pages ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- etag: NULL where it is the version's id. modified: Unix milliseconds, for people.
CREATE TABLE versions
(
  vault bytea NOT NULL,
  key text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  version bytea NOT NULL,
  size bigint NOT NULL,
  etag text,
  modified bigint NOT NULL,
  tick bigint NOT NULL,
  manifest bytea NOT NULL,
  PRIMARY KEY (vault, key, seq)
);

ALTER TABLE versions ALTER COLUMN manifest SET STORAGE EXTERNAL;

-- Where the counter of a key without a version stands. Only needed until the tick has passed it.
CREATE TABLE counters
(
  vault bytea NOT NULL,
  key text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  PRIMARY KEY (vault, key)
);

-- Names of keys and contents that transactions hold, hashed; see statements.sql. No row outlives its transaction, so
-- the table always looks empty and none of it needs to survive anything; vacuum has to come by often.
CREATE UNLOGGED TABLE held
(
  name bigint PRIMARY KEY
)
WITH
(
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0
);

-- The fabric map: whole entries, encoded, by their numbers.
CREATE TABLE disks
(
  number bigint PRIMARY KEY,
  entry bytea NOT NULL
);

CREATE TABLE classes
(
  number bigint PRIMARY KEY,
  entry bytea NOT NULL
);

CREATE TABLE groups
(
  number bigint PRIMARY KEY,
  entry bytea NOT NULL
);

-- Every change of the map, by the version it led to.
CREATE TABLE map_log
(
  version bigint PRIMARY KEY,
  tick bigint NOT NULL,
  change bytea NOT NULL
);
