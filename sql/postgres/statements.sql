-- Every statement the catalog runs. A section begins with "-- name: statement(parameter type, ...)"; the parameters
-- are bound in that order. One whose parameters are all arrays takes many sets of values in one round trip. A section
-- that ends in "when writing" is what transactions that write run instead of the one of the same name.
--
-- Transactions that write run at READ COMMITTED: each statement sees all that is committed when it begins. What is
-- right rests on locks that are taken before what they guard is read, and held to the end:
--
--   a key, and a content      its name, hashed, in the table "held". Whether it has a row does not matter: a second
--                             transaction that inserts the name waits until the first has ended. It is deleted at
--                             once, which the second sees no earlier, so none is left.
--   a content that has a row  the row as well (FOR UPDATE), for contents-condemn-idle goes by rows
--   a vault that is put into  one of 64 advisory locks, shared; removing a vault takes it alone. A row lock shared
--                             by all silos at all times would use up multixacts
--   an upload and its parts   as the content by whose id it is known
--   the fabric's row          the UPDATE that compares and sets it
--
-- Names are taken in the order of their hashes, rows in the order of their keys, so batches of orders do not wait
-- for each other in a circle; where other changes do, PostgreSQL ends one, and that one is run again.
-- The tick is read last: what was judged by an earlier one might have been forgotten between.

-- name: begin-write()
BEGIN ISOLATION LEVEL READ COMMITTED;

-- name: begin-read()
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: commit()
COMMIT;

-- name: rollback()
ROLLBACK;

-- name: server()
SELECT
  current_setting('server_version_num')::bigint, current_setting('server_encoding'), current_setting('fsync'),
  pg_is_in_recovery();

-- name: identity-is-shown()
SELECT has_function_privilege('pg_control_system()', 'execute');

-- name: identity()
SELECT (SELECT system_identifier::text FROM pg_control_system()), left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);

-- name: tables()
SELECT 1 WHERE pg_advisory_xact_lock(23123, -1) IS NULL;
SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema();

-- name: scripts-create()
CREATE TABLE IF NOT EXISTS zerostor_scripts
(
  number bigint PRIMARY KEY,
  name text NOT NULL,
  sha256 bytea NOT NULL,
  applied bigint NOT NULL
);

-- name: scripts()
SELECT number, name, sha256 FROM zerostor_scripts ORDER BY number;

-- name: script-add(number bigint, name text, sha256 bytea, applied bigint)
INSERT INTO zerostor_scripts (number, name, sha256, applied) VALUES (@number, @name, @sha256, @applied);

-- name: fabric()
SELECT fabric, tick, map_version, went_back, census_tick, census_lost, master_key FROM fabric;

-- name: fabric-create(fabric bytea)
INSERT INTO fabric (only_row, fabric, tick, map_version) VALUES (1, @fabric, 0, 0);

-- name: tick-raise(from bigint)
UPDATE fabric SET tick = tick + 1 WHERE tick = @from;

-- name: went-back(seen bigint)
UPDATE fabric SET went_back = tick, tick = @seen + 1 WHERE went_back IS NULL AND tick <= @seen;

-- name: adopt(from bigint)
UPDATE fabric SET went_back = NULL WHERE went_back = @from;

-- name: census-mark(began bigint, lost bigint)
UPDATE fabric SET census_tick = @began, census_lost = @lost
WHERE census_tick IS NULL OR census_tick <= @began;

-- name: master-key(id text)
UPDATE fabric SET master_key = @id WHERE master_key IS NULL;

-- name: master-key-replace(was text, id text)
UPDATE fabric SET master_key = @id WHERE master_key = @was;

-- name: map-raise(from bigint)
UPDATE fabric SET map_version = map_version + 1 WHERE map_version = @from;

-- name: map-log(version bigint, tick bigint, change bytea)
INSERT INTO map_log (version, tick, change) VALUES (@version, @tick, @change);

-- name: disks()
SELECT entry FROM disks ORDER BY number;

-- name: classes()
SELECT entry FROM classes ORDER BY number;

-- name: groups()
SELECT entry FROM groups ORDER BY number;

-- name: disk-put(number bigint[], entry bytea[])
INSERT INTO disks (number, entry) SELECT * FROM unnest(@number, @entry)
ON CONFLICT (number) DO UPDATE SET entry = excluded.entry;

-- name: class-put(number bigint[], entry bytea[])
INSERT INTO classes (number, entry) SELECT * FROM unnest(@number, @entry)
ON CONFLICT (number) DO UPDATE SET entry = excluded.entry;

-- name: group-put(number bigint[], entry bytea[])
INSERT INTO groups (number, entry) SELECT * FROM unnest(@number, @entry)
ON CONFLICT (number) DO UPDATE SET entry = excluded.entry;

-- name: vault-add(name text, vault bytea, class bigint, versioning bigint, created bigint)
INSERT INTO vaults (name, vault, class, versioning, created)
VALUES (@name, @vault, @class, @versioning, @created) ON CONFLICT DO NOTHING;

-- name: vault-remove(vault bytea)
SELECT 1 WHERE pg_advisory_xact_lock(23123, hashtext(encode(@vault, 'hex')) & 63) IS NULL;
DELETE FROM vaults
WHERE vault = @vault
  AND NOT EXISTS (SELECT 1 FROM versions WHERE versions.vault = @vault)
  AND NOT EXISTS (SELECT 1 FROM former WHERE former.vault = @vault)
  AND NOT EXISTS (SELECT 1 FROM uploads WHERE uploads.vault = @vault);

-- name: vault-versioning(vault bytea, versioning bigint)
-- Alone, as a removal: who puts into the vault goes by what he read.
SELECT 1 WHERE pg_advisory_xact_lock(23123, hashtext(encode(@vault, 'hex')) & 63) IS NULL;
UPDATE vaults SET versioning = @versioning WHERE vault = @vault AND (@versioning <> 0 OR versioning = 0);

-- name: vault-settings(vault bytea, name text)
SELECT etag, bytes FROM vault_settings WHERE vault = @vault AND name = @name;

-- name: vault-settings-add(vault bytea, name text, etag text, bytes bytea)
INSERT INTO vault_settings (vault, name, etag, bytes) VALUES (@vault, @name, @etag, @bytes) ON CONFLICT DO NOTHING;

-- name: vault-settings-replace(vault bytea, name text, was text, etag text, bytes bytea)
UPDATE vault_settings SET etag = @etag, bytes = @bytes WHERE vault = @vault AND name = @name AND etag = @was;

-- name: vault-settings-remove(vault bytea, name text, was text)
DELETE FROM vault_settings WHERE vault = @vault AND name = @name AND etag = @was;

-- name: vault-settings-forget(vault bytea)
DELETE FROM vault_settings WHERE vault = @vault;

-- name: vault(name text)
SELECT name, vault, class, versioning, created FROM vaults WHERE name = @name;

-- name: vaults()
SELECT name, vault, class, versioning, created FROM vaults ORDER BY name;

-- name: vault-known(vault bytea[])
SELECT vault, versioning FROM vaults WHERE vault = ANY (@vault);

-- name: vault-known(vault bytea[]) when writing
SELECT 1 FROM
(
  SELECT DISTINCT hashtext(encode(vault, 'hex')) & 63 AS slot FROM unnest(@vault) AS asked (vault) ORDER BY slot
) AS slots
WHERE pg_advisory_xact_lock_shared(23123, slot) IS NULL;
SELECT vault, versioning FROM vaults WHERE vault = ANY (@vault);

-- name: content(content bytea[])
SELECT content, vault, state, names, tick, lived, result FROM contents WHERE content = ANY (@content);

-- name: content(content bytea[]) when writing
INSERT INTO held (name)
SELECT DISTINCT hashtextextended(encode(content, 'hex'), 0) AS name FROM unnest(@content) AS asked (content)
ORDER BY name;
DELETE FROM held WHERE name = ANY
(
  ARRAY(SELECT hashtextextended(encode(content, 'hex'), 0) FROM unnest(@content) AS asked (content))
);
SELECT content, vault, state, names, tick, lived, result FROM contents
WHERE content = ANY (@content) ORDER BY content FOR UPDATE;

-- name: content-put(content bytea[], vault bytea[], state bigint[], names bigint[], tick bigint[], lived bigint[],
--   result bytea[])
INSERT INTO contents (content, vault, state, names, tick, lived, result)
SELECT * FROM unnest(@content, @vault, @state, @names, @tick, @lived, @result)
ON CONFLICT (content) DO UPDATE SET
  state = excluded.state, names = excluded.names, tick = excluded.tick, lived = excluded.lived,
  result = excluded.result;

-- name: contents-condemn-idle(before bigint, now bigint)
-- Who holds a row is about to touch it: it is not idle.
UPDATE contents SET state = 2, tick = @now WHERE content = ANY
(
  ARRAY(SELECT content FROM contents WHERE state = 0 AND tick < @before FOR UPDATE SKIP LOCKED)
);

-- name: contents-dead(after bytea, died bigint, max bigint)
SELECT content, vault, tick, lived FROM contents
WHERE state = 2 AND content > @after AND tick <= @died
ORDER BY content LIMIT @max;

-- name: content-forget(content bytea[])
DELETE FROM contents WHERE content = ANY (@content) AND state = 2;

-- name: page(content bytea, page bigint)
SELECT bytes FROM pages WHERE content = @content AND page = @page;

-- name: page-put(content bytea[], page bigint[], bytes bytea[])
-- Of a page that comes twice the last one stands.
INSERT INTO pages (content, page, bytes)
SELECT DISTINCT ON (content, page) content, page, bytes
FROM unnest(@content, @page, @bytes) WITH ORDINALITY AS given (content, page, bytes, place)
ORDER BY content, page, place DESC
ON CONFLICT (content, page) DO UPDATE SET bytes = excluded.bytes;

-- name: pages-forget(content bytea[])
DELETE FROM pages WHERE content = ANY (@content);

-- name: head(vault bytea[], key text[])
SELECT head.vault, head.key, seq, version, size, etag, modified, kept, manifest, tags
FROM unnest(@vault, @key) AS asked (vault, key) CROSS JOIN LATERAL
(
  SELECT * FROM versions WHERE versions.vault = asked.vault AND versions.key = asked.key ORDER BY seq DESC LIMIT 1
) AS head;

-- name: head(vault bytea[], key text[]) when writing
INSERT INTO held (name)
SELECT DISTINCT hashtextextended(key, hashtext(encode(vault, 'hex'))) AS name
FROM unnest(@vault, @key) AS asked (vault, key)
ORDER BY name;
DELETE FROM held WHERE name = ANY
(
  ARRAY
  (
    SELECT hashtextextended(key, hashtext(encode(vault, 'hex'))) FROM unnest(@vault, @key) AS asked (vault, key)
  )
);
SELECT head.vault, head.key, seq, version, size, etag, modified, kept, manifest, tags
FROM unnest(@vault, @key) AS asked (vault, key) CROSS JOIN LATERAL
(
  SELECT * FROM versions WHERE versions.vault = asked.vault AND versions.key = asked.key ORDER BY seq DESC LIMIT 1
) AS head;

-- name: list(vault bytea, from text, end text, max bigint)
SELECT vault, key, seq, version, size, etag, modified, kept FROM versions
WHERE vault = @vault AND key >= @from AND key < @end ORDER BY key, seq LIMIT @max;

-- name: versions-scan(vault bytea, key text, seq bigint, max bigint)
-- The server sends all that it finds, whoever stops reading: so what a page may hold of manifests (8 MiB, see
-- VersionTable) is said here, too.
SELECT vault, key, seq, version, size, etag, modified, kept, manifest, tags FROM
(
  SELECT *, sum(octet_length(manifest)) OVER (ORDER BY vault, key, seq) - octet_length(manifest) AS bytes_before FROM
  (
    SELECT * FROM versions WHERE (vault, key, seq) > (@vault, @key, @seq) ORDER BY vault, key, seq LIMIT @max
  ) AS page
) AS summed
WHERE bytes_before < 8 * 1024 * 1024 ORDER BY vault, key, seq;

-- name: version-add(vault bytea[], key text[], seq bigint[], version bytea[], size bigint[], etag text[],
--   modified bigint[], tick bigint[], manifest bytea[], kept bigint[], tags bytea[])
INSERT INTO versions (vault, key, seq, version, size, etag, modified, tick, manifest, kept, tags)
SELECT * FROM unnest(@vault, @key, @seq, @version, @size, @etag, @modified, @tick, @manifest, @kept, @tags);

-- name: version-remove(vault bytea[], key text[], seq bigint[])
DELETE FROM versions USING unnest(@vault, @key, @seq) AS gone (vault, key, seq)
WHERE versions.vault = gone.vault AND versions.key = gone.key AND versions.seq = gone.seq;

-- name: version-retire(vault bytea[], key text[], seq bigint[])
INSERT INTO former (vault, key, age, version, size, etag, modified, tick, manifest, kept, tags)
SELECT versions.vault, versions.key, -versions.seq, version, size, etag, modified, tick, manifest, kept, tags
FROM unnest(@vault, @key, @seq) AS given (vault, key, seq)
JOIN versions ON versions.vault = given.vault AND versions.key = given.key AND versions.seq = given.seq;

-- name: version-restore(vault bytea[], key text[], age bigint[])
INSERT INTO versions (vault, key, seq, version, size, etag, modified, tick, manifest, kept, tags)
SELECT former.vault, former.key, -former.age, version, size, etag, modified, tick, manifest, kept, tags
FROM unnest(@vault, @key, @age) AS given (vault, key, age)
JOIN former ON former.vault = given.vault AND former.key = given.key AND former.age = given.age;

-- name: version-tags(vault bytea, key text, seq bigint, tags bytea)
UPDATE versions SET tags = @tags WHERE vault = @vault AND key = @key AND seq = @seq;

-- name: former-remove(vault bytea[], key text[], age bigint[])
DELETE FROM former USING unnest(@vault, @key, @age) AS gone (vault, key, age)
WHERE former.vault = gone.vault AND former.key = gone.key AND former.age = gone.age;

-- name: former-tags(vault bytea, key text, age bigint, tags bytea)
UPDATE former SET tags = @tags WHERE vault = @vault AND key = @key AND age = @age AND manifest IS NOT NULL;

-- name: mark-add(vault bytea[], key text[], age bigint[], version bytea[], modified bigint[], tick bigint[],
--   kept bigint[])
INSERT INTO former (vault, key, age, version, size, modified, tick, kept)
SELECT vault, key, age, version, 0, modified, tick, kept
FROM unnest(@vault, @key, @age, @version, @modified, @tick, @kept)
  AS given (vault, key, age, version, modified, tick, kept);

-- name: former-newest(vault bytea[], key text[])
SELECT newest.vault, newest.key, -age, version, size, etag, modified, kept, manifest, tags
FROM unnest(@vault, @key) AS asked (vault, key) CROSS JOIN LATERAL
(
  SELECT * FROM former WHERE former.vault = asked.vault AND former.key = asked.key ORDER BY age LIMIT 2
) AS newest;

-- name: former-null(vault bytea[], key text[])
SELECT former.vault, former.key, -age, version, size, etag, modified, kept, manifest, tags
FROM unnest(@vault, @key) AS asked (vault, key)
JOIN former ON former.vault = asked.vault AND former.key = asked.key AND kept = 0;

-- name: former-named(vault bytea[], key text[], version bytea[])
SELECT former.vault, former.key, -age, former.version, size, etag, modified, kept, manifest, tags
FROM unnest(@vault, @key, @version) AS asked (vault, key, version)
JOIN former ON former.version = asked.version AND former.vault = asked.vault AND former.key = asked.key;

-- name: former-list(vault bytea, from text, after bigint, end text, max bigint)
SELECT vault, key, -age, version, size, etag, modified, kept, (manifest IS NULL)::int::bigint FROM former
WHERE vault = @vault AND (key, age) > (@from, @after) AND key < @end ORDER BY key, age LIMIT @max;

-- name: former-scan(vault bytea, key text, age bigint, max bigint)
-- As versions-scan.
SELECT vault, key, -age, version, size, etag, modified, kept, manifest, tags FROM
(
  SELECT *, sum(octet_length(manifest)) OVER (ORDER BY vault, key, age) - octet_length(manifest) AS bytes_before FROM
  (
    SELECT * FROM former WHERE (vault, key, age) > (@vault, @key, @age) AND manifest IS NOT NULL
    ORDER BY vault, key, age LIMIT @max
  ) AS page
) AS summed
WHERE bytes_before < 8 * 1024 * 1024 ORDER BY vault, key, age;

-- name: counter(vault bytea[], key text[])
SELECT counters.vault, counters.key, seq
FROM unnest(@vault, @key) AS asked (vault, key)
JOIN counters ON counters.vault = asked.vault AND counters.key = asked.key;

-- name: counter-put(vault bytea[], key text[], seq bigint[])
INSERT INTO counters (vault, key, seq) SELECT * FROM unnest(@vault, @key, @seq)
ON CONFLICT (vault, key) DO UPDATE SET seq = excluded.seq;

-- name: counters-forget(before bigint)
-- One that is being used goes another time.
DELETE FROM counters WHERE ctid = ANY
(
  ARRAY(SELECT ctid FROM counters WHERE seq < @before FOR UPDATE SKIP LOCKED)
);

-- name: upload-add(vault bytea, key text, upload bytea, begun bigint, tick bigint, carried bytea)
INSERT INTO uploads (vault, key, upload, begun, tick, revision, carried)
VALUES (@vault, @key, @upload, @begun, @tick, 0, @carried);

-- name: upload(upload bytea[])
SELECT vault, key, upload, begun, revision, tick, carried FROM uploads WHERE upload = ANY (@upload);

-- name: upload-change(upload bytea, tick bigint)
UPDATE uploads SET tick = greatest(tick, @tick), revision = revision + 1 WHERE upload = @upload;

-- name: upload-remove(upload bytea[])
DELETE FROM uploads WHERE upload = ANY (@upload);

-- name: uploads(vault bytea, from text, after bytea, end text, max bigint)
SELECT vault, key, upload, begun, revision, tick FROM uploads
WHERE vault = @vault AND (key, upload) > (@from, @after) AND key < @end ORDER BY key, upload LIMIT @max;

-- name: uploads-idle(before bigint, max bigint)
SELECT upload FROM uploads WHERE tick < @before ORDER BY tick LIMIT @max;

-- name: part-put(upload bytea, number bigint, size bigint, etag text, modified bigint, manifest bytea)
INSERT INTO parts (upload, number, size, etag, modified, manifest)
VALUES (@upload, @number, @size, @etag, @modified, @manifest)
ON CONFLICT (upload, number) DO UPDATE SET
  size = excluded.size, etag = excluded.etag, modified = excluded.modified, manifest = excluded.manifest;

-- name: part(upload bytea, number bigint)
SELECT number, size, etag, modified, manifest FROM parts WHERE upload = @upload AND number = @number;

-- name: parts(upload bytea, after bigint, max bigint)
SELECT number, size, etag, modified FROM parts
WHERE upload = @upload AND number > @after ORDER BY number LIMIT @max;

-- name: parts-whole(upload bytea)
SELECT number, size, etag, modified, manifest FROM parts WHERE upload = @upload ORDER BY number;

-- name: parts-remove(upload bytea[])
DELETE FROM parts WHERE upload = ANY (@upload);

-- name: count()
SELECT
  (SELECT COUNT(*) FROM versions) + (SELECT COUNT(*) FROM former WHERE manifest IS NOT NULL),
  (SELECT COUNT(*) FROM contents WHERE state = 0),
  (SELECT COUNT(*) FROM contents WHERE state = 1),
  (SELECT COUNT(*) FROM contents WHERE state = 2);
