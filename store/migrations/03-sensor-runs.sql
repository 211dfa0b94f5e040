-- Which records of each run of a sensor came.
CREATE TABLE sensor_runs (
    cluster_id  TEXT NOT NULL,
    node        TEXT NOT NULL,
    boot        TEXT NOT NULL,
    last_at     INTEGER NOT NULL,
    received    TEXT NOT NULL,
    PRIMARY KEY (cluster_id, node, boot)
);
CREATE INDEX sensor_runs_last ON sensor_runs (cluster_id, last_at);
