-- Who decided about an alert, and who is signed in.
ALTER TABLE sessions ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN decided_at INTEGER NOT NULL DEFAULT 0;
