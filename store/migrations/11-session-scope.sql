-- Sessions get a scope; those that were there saw everything.
ALTER TABLE sessions ADD COLUMN scope TEXT NOT NULL DEFAULT '{"all":true}';
