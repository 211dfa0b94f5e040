-- The history of paths gets a key that a second writing of the same analysis meets again.
CREATE TABLE path_history (
    cluster_id  TEXT NOT NULL,
    id          TEXT NOT NULL,
    at          INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    what        TEXT NOT NULL,
    PRIMARY KEY (cluster_id, id, at, version)
) PARTITION BY RANGE (at);
INSERT INTO path_history (cluster_id, id, at, version, what)
    SELECT cluster_id, id, at, row_number() OVER (PARTITION BY cluster_id, id ORDER BY at), what FROM path_events;
DROP TABLE path_events;
