-- master_key: the id of the key that the fabric's vaults are sealed under, entered by its first silo; a silo with
-- another key is refused. The id shows nothing of the key.
ALTER TABLE fabric ADD COLUMN master_key TEXT;
