-- What was read of an image is joined with its place in the queue, and several servers can lease images from one queue.
ALTER TABLE image_queue ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE image_queue ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE image_queue ADD COLUMN inventory BLOB;
UPDATE image_queue SET inventory = (SELECT i.inventory FROM images i WHERE i.id = image_queue.id);
INSERT INTO image_queue (id, host, reference, state, error, updated_at, inventory)
    SELECT i.id, '', i.reference, i.state, i.error, i.updated_at, i.inventory FROM images i
    WHERE NOT EXISTS (SELECT 1 FROM image_queue q WHERE q.id = i.id);
DROP TABLE images;
ALTER TABLE image_queue RENAME TO images;
CREATE TABLE image_wants (
    owner       TEXT NOT NULL,
    id          TEXT NOT NULL,
    wanted      INTEGER NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE INDEX image_wants_id ON image_wants (id);
