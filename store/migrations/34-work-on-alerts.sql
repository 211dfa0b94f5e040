-- Who works on an alert, and what people said and decided about it.
ALTER TABLE alerts ADD COLUMN assignee TEXT NOT NULL DEFAULT '';
CREATE TABLE alert_notes (
    cluster_id  TEXT NOT NULL,
    alert_id    TEXT NOT NULL,
    number      INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    person      TEXT NOT NULL,
    what        TEXT NOT NULL,
    words       TEXT NOT NULL,
    PRIMARY KEY (cluster_id, alert_id, number)
);
