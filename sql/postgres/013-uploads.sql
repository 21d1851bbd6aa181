-- Uploads in parts that are under way. An upload's id is that of the content which its completion commits by:
-- the row of that content lives as long as the upload goes on, and keeps how it ended. begun: Unix
-- milliseconds, for people. tick: when somebody last did something with it. revision: raised with every
-- change of its parts. carried: what the object will carry beside its bytes.
CREATE TABLE uploads
(
  vault bytea NOT NULL,
  key text COLLATE "C" NOT NULL,
  upload bytea NOT NULL UNIQUE,
  begun bigint NOT NULL,
  tick bigint NOT NULL,
  revision bigint NOT NULL,
  carried bytea NOT NULL,
  PRIMARY KEY (vault, key, upload)
);

CREATE INDEX uploads_tick ON uploads (tick);

-- What stands of an upload. manifest: what the part is made of, as that of an object of its own; the contents
-- that it names count it among their names.
CREATE TABLE parts
(
  upload bytea NOT NULL,
  number bigint NOT NULL,
  size bigint NOT NULL,
  etag text NOT NULL,
  modified bigint NOT NULL,
  manifest bytea NOT NULL,
  PRIMARY KEY (upload, number)
);

ALTER TABLE parts ALTER COLUMN manifest SET STORAGE EXTERNAL;
