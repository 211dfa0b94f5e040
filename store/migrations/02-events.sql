-- What comes of events: who may send them, which sensors watch, what was found.
CREATE TABLE ingest_tokens (
    token_hash  TEXT PRIMARY KEY,
    cluster_id  TEXT NOT NULL,
    kind        TEXT NOT NULL,
    created_at  INTEGER NOT NULL
);
CREATE TABLE sensors (
    cluster_id  TEXT NOT NULL,
    node        TEXT NOT NULL,
    seen_at     INTEGER NOT NULL,
    status      TEXT NOT NULL,
    PRIMARY KEY (cluster_id, node)
);
CREATE TABLE alerts (
    cluster_id  TEXT NOT NULL,
    id          TEXT NOT NULL,
    rule        TEXT NOT NULL,
    severity    TEXT NOT NULL,
    status      TEXT NOT NULL,
    reason      TEXT NOT NULL DEFAULT '',
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (cluster_id, id)
);
CREATE INDEX alerts_last_seen ON alerts (last_seen, cluster_id, id);
CREATE TABLE alert_events (
    cluster_id  TEXT NOT NULL,
    alert_id    TEXT NOT NULL,
    event_id    TEXT NOT NULL,
    PRIMARY KEY (cluster_id, alert_id, event_id)
);
