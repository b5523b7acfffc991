-- The whole life of a finding: whose account it was, its deadline, what people say of it, and what
-- the guard holds.

-- Whose account it was when that was certain last: an entity.
ALTER TABLE finding ADD COLUMN owner INTEGER;
ALTER TABLE finding ADD COLUMN breached_at_ms INTEGER;
-- Which way the guard does not let it go; NULL: it holds nothing of it.
ALTER TABLE finding ADD COLUMN held TEXT CHECK (held IN ('openings', 'closings'));

-- What people say of findings. Lines are added and never changed.
CREATE TABLE disposition (
    id       INTEGER PRIMARY KEY,
    finding  INTEGER NOT NULL REFERENCES finding (id),
    word     TEXT    NOT NULL CHECK (word IN ('acknowledge', 'false_positive', 'close', 'reopen')),
    reason   TEXT    NOT NULL,
    by       TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    place    TEXT    NOT NULL,
    until_ms INTEGER -- Of an acknowledgement.
) STRICT;

CREATE INDEX disposition_finding ON disposition (finding);

-- How much each run let change in each app, without what people released.
CREATE TABLE guard_count (
    run        INTEGER NOT NULL REFERENCES run (id),
    app        TEXT    NOT NULL,
    n_openings INTEGER NOT NULL,
    n_closings INTEGER NOT NULL,
    PRIMARY KEY (run, app)
) STRICT, WITHOUT ROWID;

-- People's word that a mass change is right: of a list (`list`, with `n_rows`), or of the findings
-- of an app (`direction`, with lines in `guard_release_finding`).
CREATE TABLE guard_release (
    id            INTEGER PRIMARY KEY,
    system        TEXT    NOT NULL,
    list          TEXT,
    channel       TEXT,
    n_rows        INTEGER,
    direction     TEXT CHECK (direction IN ('openings', 'closings')),
    digest        BLOB    NOT NULL, -- Of the list, or of the hold, that was looked at.
    reason        TEXT    NOT NULL,
    by            TEXT    NOT NULL,
    at_ms         INTEGER NOT NULL,
    place         TEXT    NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    CHECK ((list IS NULL) <> (direction IS NULL)),
    CHECK ((list IS NULL) = (n_rows IS NULL))
) STRICT;

CREATE TABLE guard_release_finding (
    guard_release INTEGER NOT NULL REFERENCES guard_release (id),
    finding       INTEGER NOT NULL REFERENCES finding (id),
    PRIMARY KEY (guard_release, finding)
) STRICT, WITHOUT ROWID;

CREATE TABLE guard_release_approval (
    guard_release INTEGER PRIMARY KEY REFERENCES guard_release (id),
    by            TEXT    NOT NULL,
    at_ms         INTEGER NOT NULL,
    place         TEXT    NOT NULL
) STRICT;

CREATE TRIGGER disposition_no_update BEFORE UPDATE ON disposition
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER disposition_no_delete BEFORE DELETE ON disposition
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
CREATE TRIGGER guard_release_no_update BEFORE UPDATE ON guard_release
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER guard_release_no_delete BEFORE DELETE ON guard_release
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
CREATE TRIGGER guard_release_finding_no_update BEFORE UPDATE ON guard_release_finding
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER guard_release_finding_no_delete BEFORE DELETE ON guard_release_finding
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
CREATE TRIGGER guard_release_approval_no_update BEFORE UPDATE ON guard_release_approval
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER guard_release_approval_no_delete BEFORE DELETE ON guard_release_approval
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
