-- versioning of a vault: 0 off, 1 on, 2 suspended. It stands here, and not with the rest of the vault's
-- policy, because each commit is decided by it.
ALTER TABLE vaults ADD COLUMN versioning bigint NOT NULL DEFAULT 0;

-- kept: 1 where versioning was on when it was committed; 0: it is the key's null version, of which there is
-- one at most. tags: what its users call it by, encoded; NULL: nothing.
ALTER TABLE versions ADD COLUMN kept bigint NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN tags bytea;

-- What versions had their keys before, and the marks of deletes (manifest: NULL). "versions" has the current
-- ones alone, so that heads and listings cost the same however many there were. A key whose last change was a
-- delete has no row there, and the mark of it is the first one here. age: seq, negated, so that later ones
-- come first.
CREATE TABLE former
(
  vault bytea NOT NULL,
  key text COLLATE "C" NOT NULL,
  age bigint NOT NULL,
  version bytea NOT NULL,
  size bigint NOT NULL,
  etag text,
  modified bigint NOT NULL,
  tick bigint NOT NULL,
  manifest bytea,
  kept bigint NOT NULL,
  tags bytea,
  PRIMARY KEY (vault, key, age)
);

ALTER TABLE former ALTER COLUMN manifest SET STORAGE EXTERNAL;

CREATE INDEX former_version ON former (version);
CREATE INDEX former_null ON former (vault, key) WHERE kept = 0;
