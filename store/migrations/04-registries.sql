-- What is read from registries: which are connected, what they hold, and the queue of images to read.
CREATE TABLE image_queue (
    id          TEXT PRIMARY KEY,
    host        TEXT NOT NULL,
    reference   TEXT NOT NULL,
    state       TEXT NOT NULL,
    error       TEXT NOT NULL DEFAULT '',
    attempts    INTEGER NOT NULL DEFAULT 0,
    next_try    INTEGER NOT NULL DEFAULT 0,
    wanted      INTEGER NOT NULL DEFAULT 0,
    platform    TEXT NOT NULL DEFAULT '',
    size        INTEGER NOT NULL DEFAULT 0,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX image_queue_next ON image_queue (state, wanted DESC, next_try);
CREATE TABLE image_builds (
    digest      TEXT NOT NULL,
    id          TEXT NOT NULL,
    platform    TEXT NOT NULL,
    PRIMARY KEY (digest, id)
);
CREATE INDEX image_builds_id ON image_builds (id);
CREATE TABLE registries (
    host        TEXT PRIMARY KEY,
    origin      TEXT NOT NULL,
    body        TEXT NOT NULL,
    status      TEXT NOT NULL DEFAULT ''
);
CREATE TABLE registry_tags (
    host        TEXT NOT NULL,
    repository  TEXT NOT NULL,
    tag         TEXT NOT NULL,
    digest      TEXT NOT NULL,
    PRIMARY KEY (host, repository, tag)
);
CREATE INDEX registry_tags_digest ON registry_tags (digest);
