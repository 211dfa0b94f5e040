-- In which pod the sensor runs that speaks under a key: empty where that is not known.
ALTER TABLE node_keys ADD COLUMN pod TEXT NOT NULL DEFAULT '';
