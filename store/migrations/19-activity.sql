-- Of which server a sign-in or session is. Those that were there are of one with TLS, whose sessions outlive it.
ALTER TABLE sessions ADD COLUMN server TEXT NOT NULL DEFAULT '';

-- What people did. Rows are added and, when they are old, forgotten; nothing changes one. Each hash is over the row
-- and the hash before it.
CREATE TABLE activity (
    seq         INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    person      TEXT NOT NULL,
    role        TEXT NOT NULL,
    address     TEXT NOT NULL,
    action      TEXT NOT NULL,
    object      TEXT NOT NULL,
    detail      TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    hash        TEXT NOT NULL
);
CREATE INDEX activity_at ON activity (at);
-- The newest row's number and hash: a row that is taken off the end is missed.
CREATE TABLE activity_head (
    id          INTEGER PRIMARY KEY,
    seq         INTEGER NOT NULL,
    hash        TEXT NOT NULL
);
INSERT INTO activity_head (id, seq, hash) VALUES (1, 0, '');
