-- What secrets that were left in images are hashed with: the same for all who share the records, so that one secret is known wherever it is.
CREATE TABLE secret_salt (
    id          TEXT PRIMARY KEY,
    salt        BLOB NOT NULL
);
