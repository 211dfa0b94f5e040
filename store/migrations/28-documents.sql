-- What registries have beside images that may say what does not affect them, of registries whose policy wants it.
CREATE TABLE image_documents (
    id          TEXT PRIMARY KEY,
    host        TEXT NOT NULL,
    asked_at    INTEGER NOT NULL,
    documents   BLOB
);
