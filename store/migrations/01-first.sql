-- What was read of images and their layers, how far clusters are, the lives of attack paths, and who is signed in.
CREATE TABLE images (
    id          TEXT PRIMARY KEY,
    state       TEXT NOT NULL,
    error       TEXT NOT NULL DEFAULT '',
    reference   TEXT NOT NULL,
    inventory   BLOB,
    updated_at  INTEGER NOT NULL
);
CREATE TABLE layers (
    id          TEXT PRIMARY KEY,
    inventory   BLOB NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE TABLE clusters (
    cluster_id  TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    synced_at   INTEGER NOT NULL
);
CREATE TABLE paths (
    cluster_id  TEXT NOT NULL,
    id          TEXT NOT NULL,
    opened_at   INTEGER NOT NULL,
    resolved_at INTEGER,
    stale       TEXT NOT NULL DEFAULT '',
    hash        TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (cluster_id, id, opened_at)
);
CREATE INDEX paths_open ON paths (cluster_id, resolved_at);
CREATE INDEX paths_id ON paths (id);
CREATE TABLE path_events (
    cluster_id  TEXT NOT NULL,
    id          TEXT NOT NULL,
    at          INTEGER NOT NULL,
    what        TEXT NOT NULL
);
CREATE INDEX path_events_id ON path_events (cluster_id, id, at);
CREATE TABLE sessions (
    token_hash  TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
);
