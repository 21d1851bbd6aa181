-- went_back: where the tick stood when the catalog was found to be behind what a disk has seen; NULL while it is
-- not. While it is set nothing is reclaimed. census_tick: when the last whole census began; census_lost: the
-- stripes it found that nobody can read any more.
ALTER TABLE fabric ADD COLUMN went_back bigint;
ALTER TABLE fabric ADD COLUMN census_tick bigint;
ALTER TABLE fabric ADD COLUMN census_lost bigint NOT NULL DEFAULT 0;
