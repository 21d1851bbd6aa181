-- Uploads in parts that are under way. An upload's id is that of the content which its completion commits by:
-- the row of that content lives as long as the upload goes on, and keeps how it ended. begun: Unix
-- milliseconds, for people. tick: when somebody last did something with it. revision: raised with every
-- change of its parts. carried: what the object will carry beside its bytes.
CREATE TABLE uploads
(
  vault BLOB NOT NULL,
  key TEXT NOT NULL COLLATE BINARY,
  upload BLOB NOT NULL UNIQUE,
  begun INTEGER NOT NULL,
  tick INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  carried BLOB NOT NULL,
  PRIMARY KEY (vault, key, upload)
) STRICT, WITHOUT ROWID;

CREATE INDEX uploads_tick ON uploads (tick);

-- What stands of an upload. manifest: what the part is made of, as that of an object of its own; the contents
-- that it names count it among their names.
CREATE TABLE parts
(
  upload BLOB NOT NULL,
  number INTEGER NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  modified INTEGER NOT NULL,
  manifest BLOB NOT NULL,
  PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;
