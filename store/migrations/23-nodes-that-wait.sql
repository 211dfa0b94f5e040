-- Nodes that want to join and that their cluster has not told of: whichever server a sensor asks knows how long it waits.
CREATE TABLE waiting_nodes (
    cluster_id  TEXT NOT NULL,
    node        TEXT NOT NULL,
    token_id    TEXT NOT NULL,
    asked_from  TEXT NOT NULL,
    since       INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    PRIMARY KEY (cluster_id, node)
);
