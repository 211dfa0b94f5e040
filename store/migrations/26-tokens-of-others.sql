-- Tokens of those that are no cluster: a registry that tells of pushes, a build that sends what is in an image. subject is whose it is.
ALTER TABLE ingest_tokens ADD COLUMN subject TEXT NOT NULL DEFAULT '';
-- What builds said is in an image, in place of a reading of ours.
CREATE TABLE image_uploads (
    id          TEXT PRIMARY KEY,
    reference   TEXT NOT NULL,
    told_by     TEXT NOT NULL,
    token_id    TEXT NOT NULL,
    platform    TEXT NOT NULL,
    size        INTEGER NOT NULL,
    uploaded_at INTEGER NOT NULL,
    inventory   BLOB NOT NULL
);
CREATE INDEX image_uploads_token ON image_uploads (token_id, uploaded_at);
