-- What images of registries say of themselves: when they were made (0: they do not say) and for which platforms they are, by digest.
CREATE TABLE image_outlines (
    digest      TEXT PRIMARY KEY,
    made        INTEGER NOT NULL,
    platforms   TEXT NOT NULL,
    asked_at    INTEGER NOT NULL
);
