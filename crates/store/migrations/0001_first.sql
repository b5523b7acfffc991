-- Driftline's database. Times are milliseconds since 1970 in UTC (`_ms`).
--
-- What is big is only ever added to: a row that ends, changes its link or its standing gets a
-- new line at the end of a table, so that a night writes pages for what changed and no others.
-- Small INTEGER codes in the big tables are listed in `codes.rs`, and never change their meaning.

PRAGMA application_id = 0x44524654; -- "DRFT"

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Runs, and what they reported.

CREATE TABLE run (
    id              INTEGER PRIMARY KEY,
    now_ms          INTEGER NOT NULL,
    started_at_ms   INTEGER NOT NULL,
    software        TEXT    NOT NULL,
    settings_digest BLOB    NOT NULL,
    policy_version  INTEGER NOT NULL,
    n_open          INTEGER NOT NULL,
    n_pending       INTEGER NOT NULL,
    n_critical      INTEGER NOT NULL
) STRICT;

-- The JSON document of a run, compressed with zstd against the document of run `base`.
CREATE TABLE report (
    run     INTEGER PRIMARY KEY REFERENCES run (id),
    base    INTEGER REFERENCES report (run), -- NULL: stands alone.
    n_bytes INTEGER NOT NULL,
    sha256  BLOB    NOT NULL, -- Of the document.
    zstd    BLOB    NOT NULL
) STRICT;

CREATE TABLE judged_app (
    app       TEXT PRIMARY KEY,
    first_run INTEGER NOT NULL REFERENCES run (id)
) STRICT, WITHOUT ROWID;

-- What was seen.

CREATE TABLE stream (
    id      INTEGER PRIMARY KEY,
    system  TEXT NOT NULL,
    list    TEXT NOT NULL CHECK (list IN
        ('identities', 'assignments', 'memberships', 'accounts', 'nonhumans', 'leavers')),
    channel TEXT CHECK (channel IN ('scim', 'secureframe_api', 'file'))
) STRICT;

CREATE TABLE snapshot (
    id             INTEGER PRIMARY KEY,
    run            INTEGER NOT NULL REFERENCES run (id),
    stream         INTEGER NOT NULL REFERENCES stream (id),
    as_of_ms       INTEGER NOT NULL,
    as_of_basis    TEXT    NOT NULL CHECK (as_of_basis IN ('stated', 'in_data', 'file_time')),
    proof          TEXT CHECK (proof IN ('stated_total', 'read_to_end', 'declared_whole', 'your_word')),
    partial_reason TEXT, -- Exactly one of `proof` and `partial_reason` is there.
    population     TEXT    NOT NULL CHECK (population IN ('everyone', 'assigned')),
    id_form        TEXT CHECK (id_form IN ('okta', 'entra', 'onelogin')),
    held           TEXT, -- Why its absences do not count; NULL when they do.
    n_rows         INTEGER NOT NULL,
    first_version  INTEGER NOT NULL, -- The versions that it began have numbers in a row.
    n_versions     INTEGER NOT NULL,
    digest         BLOB    NOT NULL, -- Merkle root over the hashes of its rows, sorted by key.
    body_digest    BLOB    NOT NULL,
    notes          TEXT    NOT NULL, -- JSON array of sentences.
    CHECK ((proof IS NULL) <> (partial_reason IS NULL))
) STRICT;

CREATE TABLE request (
    snapshot    INTEGER NOT NULL REFERENCES snapshot (id),
    nth         INTEGER NOT NULL, -- From 0.
    method      TEXT    NOT NULL,
    url         TEXT    NOT NULL, -- Without secrets.
    status      INTEGER,
    n_bytes     INTEGER NOT NULL,
    sha256      BLOB    NOT NULL,
    date_ms     INTEGER,
    request_id  TEXT,
    n_rows      INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (snapshot, nth)
) STRICT, WITHOUT ROWID;

-- Requests behind no snapshot: of logs, of health, of lists that were read twice or not at all.
CREATE TABLE other_request (
    run         INTEGER NOT NULL REFERENCES run (id),
    nth         INTEGER NOT NULL, -- From 0.
    system      TEXT    NOT NULL,
    method      TEXT    NOT NULL,
    url         TEXT    NOT NULL, -- Without secrets.
    status      INTEGER,
    n_bytes     INTEGER NOT NULL,
    sha256      BLOB    NOT NULL,
    date_ms     INTEGER,
    request_id  TEXT,
    n_rows      INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (run, nth)
) STRICT, WITHOUT ROWID;

-- What was asked again by id, and answered.
CREATE TABLE observation (
    id             INTEGER PRIMARY KEY,
    run            INTEGER NOT NULL REFERENCES run (id),
    system         TEXT    NOT NULL,
    list           TEXT    NOT NULL,
    key            TEXT    NOT NULL, -- The id that was asked for.
    row            BLOB, -- In canonical form; NULL unless it was found.
    why            TEXT, -- NULL unless nothing was learned. Neither: it is not there.
    sent_at_ms     INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL
) STRICT;

-- What the logs of sources say happened to people's access, and where to go on reading them.
CREATE TABLE log_event (
    id       INTEGER PRIMARY KEY,
    run      INTEGER NOT NULL REFERENCES run (id),
    system   TEXT    NOT NULL,
    event    TEXT    NOT NULL, -- The source's id. Logs hand out an event again after a new start.
    at_ms    INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    identity TEXT    NOT NULL,
    UNIQUE (system, event)
) STRICT;

CREATE TABLE log_cursor (
    system TEXT PRIMARY KEY,
    cursor TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Versions of rows, of all lists: some hundred of one snapshot in one cell (`rows/pack.rs`), each
-- in its canonical form (`canon.rs`), over which its hash goes. A line for each would be what a
-- first night of a million people waits for.
-- References to entities and snapshots are checked by `db verify`, not by foreign keys, which
-- would cost a look-up for each row.
CREATE TABLE version_pack (
    first    INTEGER PRIMARY KEY, -- The number of its first version; the others have those after it.
    n        INTEGER NOT NULL,
    snapshot INTEGER NOT NULL, -- Showed them first; `ended` has the one that no more did.
    versions BLOB    NOT NULL
) STRICT;

-- Versions after the first of their row, for the history of one row. The first version has the
-- number of the row itself, its entity; nearly all have no other.
CREATE TABLE later_version (
    entity  INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (entity, version)
) STRICT, WITHOUT ROWID;

-- Which versions were over when a snapshot was taken: changed in it, or not in it.
CREATE TABLE ended (
    snapshot INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    PRIMARY KEY (snapshot, version)
) STRICT, WITHOUT ROWID;

-- Volatile, so updated in place: no version hangs on it.
CREATE TABLE account_use (
    entity          INTEGER PRIMARY KEY,
    last_used_at_ms INTEGER NOT NULL
) STRICT;

-- Raw rows. Many small ones compress together.

CREATE TABLE body_pack (
    id      INTEGER PRIMARY KEY,
    n_bytes INTEGER NOT NULL,
    zstd    BLOB    NOT NULL
) STRICT;

CREATE TABLE body (
    id     INTEGER PRIMARY KEY,
    sha256 BLOB    NOT NULL,
    pack   INTEGER NOT NULL REFERENCES body_pack (id),
    offset INTEGER NOT NULL,
    len    INTEGER NOT NULL
) STRICT;

CREATE TABLE row_body (
    run    INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    body   INTEGER NOT NULL REFERENCES body (id),
    PRIMARY KEY (run, entity, body)
) STRICT, WITHOUT ROWID;

-- What was concluded. In the first three the newest word on an entity holds, and lines are only
-- put at the end: a key of run and entity would cost more than all else in them.

-- All links that a run made, changed or ended (`conclusion.rs`).
CREATE TABLE link (
    run     INTEGER PRIMARY KEY,
    changes BLOB    NOT NULL
) STRICT;

-- A line with `seen_until_ms` says that the verdict before it was seen until then, and that its
-- run could not tell.
CREATE TABLE standing (
    id            INTEGER PRIMARY KEY,
    run           INTEGER NOT NULL,
    entity        INTEGER NOT NULL,
    verdict       INTEGER NOT NULL,
    seen_until_ms INTEGER
) STRICT;

CREATE TABLE episode (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL,
    entity      INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    began_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER
) STRICT;

CREATE TABLE finding (
    id              INTEGER PRIMARY KEY,
    fingerprint     BLOB    NOT NULL,
    app             TEXT    NOT NULL,
    subject_kind    TEXT    NOT NULL CHECK (subject_kind IN ('account', 'identity')),
    subject_system  TEXT    NOT NULL,
    subject_key     TEXT    NOT NULL,
    subject_entity  INTEGER NOT NULL,
    cause           TEXT    NOT NULL,
    severity        TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    state           TEXT    NOT NULL CHECK (state IN ('pending', 'open', 'acknowledged', 'held',
                                                      'waived', 'not_visible', 'resolved',
                                                      'false_positive')),
    episode         INTEGER NOT NULL,
    detected_at_ms  INTEGER NOT NULL,
    detected_run    INTEGER NOT NULL REFERENCES run (id),
    looks           TEXT    NOT NULL, -- JSON
    clock_from_ms   INTEGER NOT NULL,
    grace_until_ms  INTEGER NOT NULL,
    opened_at_ms    INTEGER,
    resolved_at_ms  INTEGER,
    resolution      TEXT,
    state_until_ms  INTEGER,
    exposures       TEXT    NOT NULL, -- JSON
    n_reopened      INTEGER NOT NULL
) STRICT;

-- When a finding was last seen to hold. Changes every night, so it stands apart from the rest.
CREATE TABLE finding_seen (
    finding         INTEGER PRIMARY KEY REFERENCES finding (id),
    last_seen_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE finding_event (
    id       INTEGER PRIMARY KEY,
    finding  INTEGER NOT NULL REFERENCES finding (id),
    at_ms    INTEGER NOT NULL,
    run      INTEGER REFERENCES run (id), -- NULL: a person did it between runs.
    change   TEXT    NOT NULL,
    cause    TEXT    NOT NULL,
    severity TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    because  TEXT    NOT NULL
) STRICT;

-- `findings show` reads the events of one finding.
CREATE INDEX finding_event_finding ON finding_event (finding);

CREATE TRIGGER finding_event_no_update BEFORE UPDATE ON finding_event
BEGIN SELECT RAISE(ABORT, 'what happened to a finding is never changed'); END;
CREATE TRIGGER finding_event_no_delete BEFORE DELETE ON finding_event
BEGIN SELECT RAISE(ABORT, 'what happened to a finding is never deleted'); END;

-- What people did. Lines are added and never changed.

CREATE TABLE decision (
    id              INTEGER PRIMARY KEY,
    app             TEXT    NOT NULL,
    account         TEXT    NOT NULL,
    identity_system TEXT    NOT NULL,
    identity        TEXT    NOT NULL,
    is_owner        INTEGER NOT NULL CHECK (is_owner IN (0, 1)),
    by              TEXT    NOT NULL,
    at_ms           INTEGER NOT NULL,
    reason          TEXT    NOT NULL
) STRICT;

CREATE TABLE waiver (
    id            INTEGER PRIMARY KEY,
    fingerprint   BLOB    NOT NULL,
    cause         TEXT    NOT NULL,
    episode       INTEGER NOT NULL,
    reason        TEXT    NOT NULL,
    by            TEXT    NOT NULL,
    at_ms         INTEGER NOT NULL,
    place         TEXT    NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE waiver_approval (
    waiver INTEGER PRIMARY KEY REFERENCES waiver (id),
    by     TEXT    NOT NULL,
    at_ms  INTEGER NOT NULL,
    place  TEXT    NOT NULL
) STRICT;

CREATE TABLE waiver_void (
    waiver INTEGER PRIMARY KEY REFERENCES waiver (id),
    at_ms  INTEGER NOT NULL
) STRICT;

-- Accounts registered as non-human by command. The newest line of an account holds.
CREATE TABLE nonhuman (
    id           INTEGER PRIMARY KEY,
    account      TEXT    NOT NULL,
    owner        TEXT,
    purpose      TEXT,
    attest_by_ms INTEGER,
    by           TEXT    NOT NULL,
    at_ms        INTEGER NOT NULL,
    place        TEXT    NOT NULL
) STRICT;

CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
CREATE TRIGGER waiver_no_update BEFORE UPDATE ON waiver
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER waiver_no_delete BEFORE DELETE ON waiver
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
CREATE TRIGGER waiver_approval_no_update BEFORE UPDATE ON waiver_approval
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER waiver_approval_no_delete BEFORE DELETE ON waiver_approval
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
CREATE TRIGGER nonhuman_no_update BEFORE UPDATE ON nonhuman
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER nonhuman_no_delete BEFORE DELETE ON nonhuman
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;

INSERT INTO meta (key, value) VALUES ('fingerprint_key', randomblob(32));
