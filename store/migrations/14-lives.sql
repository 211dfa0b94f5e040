-- Everything that is stored has a limit and a life: what finds a cluster's oldest rows, when events were counted, which
-- sensors are of a node that is known, and how big tables were. fillSensors keeps of older reports the fields that are known.
CREATE INDEX alerts_cluster ON alerts (cluster_id, last_seen, id);
ALTER TABLE alert_events ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
UPDATE alert_events SET at = coalesce((SELECT a.last_seen FROM alerts a WHERE a.cluster_id = alert_events.cluster_id
    AND a.id = alert_events.alert_id), 0);
CREATE INDEX alert_events_at ON alert_events (cluster_id, at);
DROP INDEX path_history_at;
CREATE INDEX path_history_at ON path_history (cluster_id, at);
ALTER TABLE sensors ADD COLUMN known INTEGER NOT NULL DEFAULT 0;
CREATE TABLE table_sizes (
    name        TEXT NOT NULL,
    at          INTEGER NOT NULL,
    row_count   INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    PRIMARY KEY (name, at)
);
