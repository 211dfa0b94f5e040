-- Vulnerabilities that people accepted in the portal or at the command line: what each names, as the package exception writes it.
CREATE TABLE exceptions (
    id          TEXT PRIMARY KEY,
    body        TEXT NOT NULL,
    author      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    ended_by    TEXT NOT NULL DEFAULT ''
);
