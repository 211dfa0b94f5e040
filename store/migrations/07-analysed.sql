-- How far the events of each cluster are analysed, and what analytics learned from them.
CREATE TABLE event_positions (
    cluster_id  TEXT NOT NULL,
    source      TEXT NOT NULL,
    stream      TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    analysed_at INTEGER NOT NULL,
    PRIMARY KEY (cluster_id, source)
);
CREATE TABLE event_batches (
    cluster_id  TEXT NOT NULL,
    source      TEXT NOT NULL,
    name        TEXT NOT NULL,
    analysed_at INTEGER NOT NULL,
    PRIMARY KEY (cluster_id, source, name)
);
CREATE INDEX event_batches_analysed ON event_batches (cluster_id, source, analysed_at);
CREATE TABLE analytic_state (
    cluster_id  TEXT NOT NULL,
    analytic    TEXT NOT NULL,
    part        TEXT NOT NULL,
    state       TEXT NOT NULL,
    PRIMARY KEY (cluster_id, analytic, part)
);
