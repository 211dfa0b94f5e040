-- Which alerts name a thing, so that its page need not read every alert. fillAlertThings gives it to older ones.
CREATE TABLE alert_things (
    cluster_id  TEXT NOT NULL,
    thing       TEXT NOT NULL,
    alert_id    TEXT NOT NULL,
    PRIMARY KEY (cluster_id, thing, alert_id)
);
CREATE INDEX alert_things_alert ON alert_things (cluster_id, alert_id);
CREATE INDEX alert_things_thing ON alert_things (thing);
