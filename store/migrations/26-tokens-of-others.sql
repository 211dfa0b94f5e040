-- Tokens of those that are no cluster: a registry that tells of pushes, a build that sends what is in an image. subject is whose it is.
ALTER TABLE ingest_tokens ADD COLUMN subject TEXT NOT NULL DEFAULT '';
