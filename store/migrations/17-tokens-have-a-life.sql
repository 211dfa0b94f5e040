-- Tokens have a life: an end, a number of uses, who made and who ended them. expires_at 0: never, as before.
ALTER TABLE ingest_tokens ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ingest_tokens ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ingest_tokens ADD COLUMN max_uses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ingest_tokens ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
ALTER TABLE ingest_tokens ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ingest_tokens ADD COLUMN used_from TEXT NOT NULL DEFAULT '';
ALTER TABLE ingest_tokens ADD COLUMN revoked_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ingest_tokens ADD COLUMN revoked_by TEXT NOT NULL DEFAULT '';
-- What a join token was changed into. The number names a certificate within its cluster.
CREATE TABLE certificates (
    cluster_id  TEXT NOT NULL,
    number      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    node        TEXT NOT NULL,
    key_hash    TEXT NOT NULL,
    token_id    TEXT NOT NULL,
    verified    INTEGER NOT NULL,
    made_by     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER NOT NULL DEFAULT 0,
    used_from   TEXT NOT NULL DEFAULT '',
    revoked_at  INTEGER NOT NULL DEFAULT 0,
    revoked_by  TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (cluster_id, number)
);
CREATE INDEX certificates_node ON certificates (cluster_id, node);
-- Under which key a node speaks, and until when no other may.
CREATE TABLE node_keys (
    cluster_id  TEXT NOT NULL,
    node        TEXT NOT NULL,
    key_hash    TEXT NOT NULL,
    held_until  INTEGER NOT NULL,
    PRIMARY KEY (cluster_id, node)
);
