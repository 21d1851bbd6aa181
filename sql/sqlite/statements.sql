-- Every statement the catalog runs. A section begins with "-- name: statement(parameters)"; the parameters
-- are bound in that order.

-- name: begin-write()
BEGIN IMMEDIATE;

-- name: begin-read()
BEGIN;

-- name: commit()
COMMIT;

-- name: rollback()
ROLLBACK;

-- name: tables()
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%';

-- name: scripts-create()
CREATE TABLE IF NOT EXISTS zerostor_scripts
(
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  applied INTEGER NOT NULL
) STRICT;

-- name: scripts()
SELECT number, name, sha256 FROM zerostor_scripts ORDER BY number;

-- name: script-add(number, name, sha256, applied)
INSERT INTO zerostor_scripts (number, name, sha256, applied) VALUES (@number, @name, @sha256, @applied);

-- name: fabric()
SELECT fabric, tick, map_version, went_back, census_tick, census_lost, master_key FROM fabric;

-- name: fabric-create(fabric)
INSERT INTO fabric (only_row, fabric, tick, map_version) VALUES (1, @fabric, 0, 0);

-- name: tick-raise(from)
UPDATE fabric SET tick = tick + 1 WHERE tick = @from;

-- name: went-back(seen)
UPDATE fabric SET went_back = tick, tick = @seen + 1 WHERE went_back IS NULL AND tick <= @seen;

-- name: adopt(from)
UPDATE fabric SET went_back = NULL WHERE went_back = @from;

-- name: census-mark(began, lost)
UPDATE fabric SET census_tick = @began, census_lost = @lost
WHERE census_tick IS NULL OR census_tick <= @began;

-- name: master-key(id)
UPDATE fabric SET master_key = @id WHERE master_key IS NULL;

-- name: master-key-replace(was, id)
UPDATE fabric SET master_key = @id WHERE master_key = @was;

-- name: map-raise(from)
UPDATE fabric SET map_version = map_version + 1 WHERE map_version = @from;

-- name: map-log(version, tick, change)
INSERT INTO map_log (version, tick, change) VALUES (@version, @tick, @change);

-- name: disks()
SELECT entry FROM disks ORDER BY number;

-- name: classes()
SELECT entry FROM classes ORDER BY number;

-- name: groups()
SELECT entry FROM groups ORDER BY number;

-- name: disk-put(number, entry)
INSERT INTO disks (number, entry) VALUES (@number, @entry)
ON CONFLICT (number) DO UPDATE SET entry = excluded.entry;

-- name: class-put(number, entry)
INSERT INTO classes (number, entry) VALUES (@number, @entry)
ON CONFLICT (number) DO UPDATE SET entry = excluded.entry;

-- name: group-put(number, entry)
INSERT INTO groups (number, entry) VALUES (@number, @entry)
ON CONFLICT (number) DO UPDATE SET entry = excluded.entry;

-- name: vault-add(name, vault, class, versioning, created)
INSERT INTO vaults (name, vault, class, versioning, created)
VALUES (@name, @vault, @class, @versioning, @created) ON CONFLICT DO NOTHING;

-- name: vault-remove(vault)
DELETE FROM vaults
WHERE vault = @vault
  AND NOT EXISTS (SELECT 1 FROM versions WHERE versions.vault = @vault)
  AND NOT EXISTS (SELECT 1 FROM former WHERE former.vault = @vault)
  AND NOT EXISTS (SELECT 1 FROM uploads WHERE uploads.vault = @vault);

-- name: vault-versioning(vault, versioning)
UPDATE vaults SET versioning = @versioning WHERE vault = @vault AND (@versioning <> 0 OR versioning = 0);

-- name: vault-settings(vault, name)
SELECT etag, bytes FROM vault_settings WHERE vault = @vault AND name = @name;

-- name: vault-settings-add(vault, name, etag, bytes)
INSERT INTO vault_settings (vault, name, etag, bytes) VALUES (@vault, @name, @etag, @bytes) ON CONFLICT DO NOTHING;

-- name: vault-settings-replace(vault, name, was, etag, bytes)
UPDATE vault_settings SET etag = @etag, bytes = @bytes WHERE vault = @vault AND name = @name AND etag = @was;

-- name: vault-settings-remove(vault, name, was)
DELETE FROM vault_settings WHERE vault = @vault AND name = @name AND etag = @was;

-- name: vault-settings-forget(vault)
DELETE FROM vault_settings WHERE vault = @vault;

-- name: vault(name)
SELECT name, vault, class, versioning, created FROM vaults WHERE name = @name;

-- name: vaults()
SELECT name, vault, class, versioning, created FROM vaults ORDER BY name;

-- name: vault-known(vault)
SELECT vault, versioning FROM vaults WHERE vault = @vault;

-- name: content(content)
SELECT content, vault, state, names, tick, lived, result FROM contents WHERE content = @content;

-- name: content-put(content, vault, state, names, tick, lived, result)
INSERT INTO contents (content, vault, state, names, tick, lived, result)
VALUES (@content, @vault, @state, @names, @tick, @lived, @result)
ON CONFLICT (content) DO UPDATE SET
  state = excluded.state, names = excluded.names, tick = excluded.tick, lived = excluded.lived,
  result = excluded.result;

-- name: contents-condemn-idle(before, now)
UPDATE contents SET state = 2, tick = @now WHERE state = 0 AND tick < @before;

-- name: contents-dead(after, died, max)
SELECT content, vault, tick, lived FROM contents
WHERE state = 2 AND content > @after AND tick <= @died
ORDER BY content LIMIT @max;

-- name: content-forget(content)
DELETE FROM contents WHERE content = @content AND state = 2;

-- name: page(content, page)
SELECT bytes FROM pages WHERE content = @content AND page = @page;

-- name: page-put(content, page, bytes)
INSERT INTO pages (content, page, bytes) VALUES (@content, @page, @bytes)
ON CONFLICT (content, page) DO UPDATE SET bytes = excluded.bytes;

-- name: pages-forget(content)
DELETE FROM pages WHERE content = @content;

-- name: head(vault, key)
SELECT vault, key, seq, version, size, etag, modified, kept, manifest, tags FROM versions
WHERE vault = @vault AND key = @key ORDER BY seq DESC LIMIT 1;

-- name: list(vault, from, end, max)
SELECT vault, key, seq, version, size, etag, modified, kept FROM versions
WHERE vault = @vault AND key >= @from AND key < @end ORDER BY key, seq LIMIT @max;

-- name: versions-scan(vault, key, seq, max)
SELECT vault, key, seq, version, size, etag, modified, kept, manifest, tags FROM versions
WHERE (vault, key, seq) > (@vault, @key, @seq) ORDER BY vault, key, seq LIMIT @max;

-- name: version-add(vault, key, seq, version, size, etag, modified, tick, manifest, kept, tags)
INSERT INTO versions (vault, key, seq, version, size, etag, modified, tick, manifest, kept, tags)
VALUES (@vault, @key, @seq, @version, @size, @etag, @modified, @tick, @manifest, @kept, @tags);

-- name: version-remove(vault, key, seq)
DELETE FROM versions WHERE vault = @vault AND key = @key AND seq = @seq;

-- name: version-retire(vault, key, seq)
INSERT INTO former (vault, key, age, version, size, etag, modified, tick, manifest, kept, tags)
SELECT vault, key, -seq, version, size, etag, modified, tick, manifest, kept, tags FROM versions
WHERE vault = @vault AND key = @key AND seq = @seq;

-- name: version-restore(vault, key, age)
INSERT INTO versions (vault, key, seq, version, size, etag, modified, tick, manifest, kept, tags)
SELECT vault, key, -age, version, size, etag, modified, tick, manifest, kept, tags FROM former
WHERE vault = @vault AND key = @key AND age = @age;

-- name: version-tags(vault, key, seq, tags)
UPDATE versions SET tags = @tags WHERE vault = @vault AND key = @key AND seq = @seq;

-- name: former-remove(vault, key, age)
DELETE FROM former WHERE vault = @vault AND key = @key AND age = @age;

-- name: former-tags(vault, key, age, tags)
UPDATE former SET tags = @tags WHERE vault = @vault AND key = @key AND age = @age AND manifest IS NOT NULL;

-- name: mark-add(vault, key, age, version, modified, tick, kept)
INSERT INTO former (vault, key, age, version, size, modified, tick, kept)
VALUES (@vault, @key, @age, @version, 0, @modified, @tick, @kept);

-- name: former-newest(vault, key)
SELECT vault, key, -age, version, size, etag, modified, kept, manifest, tags FROM former
WHERE vault = @vault AND key = @key ORDER BY age LIMIT 2;

-- name: former-null(vault, key)
SELECT vault, key, -age, version, size, etag, modified, kept, manifest, tags FROM former
WHERE vault = @vault AND key = @key AND kept = 0;

-- name: former-named(vault, key, version)
SELECT vault, key, -age, version, size, etag, modified, kept, manifest, tags FROM former
WHERE version = @version AND vault = @vault AND key = @key;

-- name: former-list(vault, from, after, end, max)
SELECT vault, key, -age, version, size, etag, modified, kept, manifest IS NULL FROM former
WHERE vault = @vault AND (key, age) > (@from, @after) AND key < @end ORDER BY key, age LIMIT @max;

-- name: former-scan(vault, key, age, max)
SELECT vault, key, -age, version, size, etag, modified, kept, manifest, tags FROM former
WHERE (vault, key, age) > (@vault, @key, @age) AND manifest IS NOT NULL ORDER BY vault, key, age LIMIT @max;

-- name: counter(vault, key)
SELECT vault, key, seq FROM counters WHERE vault = @vault AND key = @key;

-- name: counter-put(vault, key, seq)
INSERT INTO counters (vault, key, seq) VALUES (@vault, @key, @seq)
ON CONFLICT (vault, key) DO UPDATE SET seq = excluded.seq;

-- name: counters-forget(before)
DELETE FROM counters WHERE seq < @before;

-- name: upload-add(vault, key, upload, begun, tick, carried)
INSERT INTO uploads (vault, key, upload, begun, tick, revision, carried)
VALUES (@vault, @key, @upload, @begun, @tick, 0, @carried);

-- name: upload(upload)
SELECT vault, key, upload, begun, revision, tick, carried FROM uploads WHERE upload = @upload;

-- name: upload-change(upload, tick)
UPDATE uploads SET tick = max(tick, @tick), revision = revision + 1 WHERE upload = @upload;

-- name: upload-remove(upload)
DELETE FROM uploads WHERE upload = @upload;

-- name: uploads(vault, from, after, end, max)
SELECT vault, key, upload, begun, revision, tick FROM uploads
WHERE vault = @vault AND (key, upload) > (@from, @after) AND key < @end ORDER BY key, upload LIMIT @max;

-- name: uploads-idle(before, max)
SELECT upload FROM uploads WHERE tick < @before ORDER BY tick LIMIT @max;

-- name: part-put(upload, number, size, etag, modified, manifest)
INSERT INTO parts (upload, number, size, etag, modified, manifest)
VALUES (@upload, @number, @size, @etag, @modified, @manifest)
ON CONFLICT (upload, number) DO UPDATE SET
  size = excluded.size, etag = excluded.etag, modified = excluded.modified, manifest = excluded.manifest;

-- name: part(upload, number)
SELECT number, size, etag, modified, manifest FROM parts WHERE upload = @upload AND number = @number;

-- name: parts(upload, after, max)
SELECT number, size, etag, modified FROM parts
WHERE upload = @upload AND number > @after ORDER BY number LIMIT @max;

-- name: parts-whole(upload)
SELECT number, size, etag, modified, manifest FROM parts WHERE upload = @upload ORDER BY number;

-- name: parts-remove(upload)
DELETE FROM parts WHERE upload = @upload;

-- name: count()
SELECT
  (SELECT COUNT(*) FROM versions) + (SELECT COUNT(*) FROM former WHERE manifest IS NOT NULL),
  (SELECT COUNT(*) FROM contents WHERE state = 0),
  (SELECT COUNT(*) FROM contents WHERE state = 1),
  (SELECT COUNT(*) FROM contents WHERE state = 2);
