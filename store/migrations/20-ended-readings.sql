-- How many readings of an image in a row began and ended who read it.
ALTER TABLE images ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
