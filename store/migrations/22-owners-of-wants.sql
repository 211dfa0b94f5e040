-- When a server that wants images was last seen: what a dead one wanted is forgotten after a while.
CREATE TABLE image_owners (
    owner       TEXT PRIMARY KEY,
    seen_at     INTEGER NOT NULL
);
