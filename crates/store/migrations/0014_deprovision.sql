-- What an app does with an account that is switched off: of which account it was seen, in which view,
-- by which run, or by a probe that somebody asked for.
CREATE TABLE deprovision (
    id        INTEGER PRIMARY KEY,
    run       INTEGER REFERENCES run (id),   -- NULL: a probe saw it.
    probe     INTEGER REFERENCES probe (id), -- NULL: a run saw it.
    app       TEXT    NOT NULL,
    channel   TEXT    NOT NULL,
    account   TEXT    NOT NULL,
    behaviour TEXT    NOT NULL CHECK (behaviour IN ('lists', 'hides', 'deletes')),
    seen_ms   INTEGER NOT NULL,
    CHECK ((run IS NULL) <> (probe IS NULL))
) STRICT;

CREATE TRIGGER deprovision_no_update BEFORE UPDATE ON deprovision
BEGIN SELECT RAISE(ABORT, 'what was seen is never changed'); END;
CREATE TRIGGER deprovision_no_delete BEFORE DELETE ON deprovision
BEGIN SELECT RAISE(ABORT, 'what was seen is never deleted'); END;

-- A probe: a canary account that was switched off on somebody's word, to see what becomes of it.
CREATE TABLE probe (
    id       INTEGER PRIMARY KEY,
    app      TEXT    NOT NULL,
    account  TEXT    NOT NULL,
    by       TEXT    NOT NULL, -- Who asked for it.
    place    TEXT    NOT NULL, -- Login and host.
    at_ms    INTEGER NOT NULL  -- When, before anything was sent.
) STRICT;

CREATE TRIGGER probe_no_update BEFORE UPDATE ON probe
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER probe_no_delete BEFORE DELETE ON probe
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;

-- How it ended. A probe without a line here was cut off, and what it had sent by then is not known.
CREATE TABLE probe_end (
    probe      INTEGER PRIMARY KEY REFERENCES probe (id),
    ended_ms   INTEGER NOT NULL,
    behaviour  TEXT CHECK (behaviour IN ('lists', 'hides', 'deletes')), -- NULL: nothing was seen.
    outcome    TEXT    NOT NULL, -- What was seen, a sentence.
    is_back_on INTEGER NOT NULL CHECK (is_back_on IN (0, 1)) -- Was it seen on again at the end?
) STRICT;

CREATE TRIGGER probe_end_no_update BEFORE UPDATE ON probe_end
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER probe_end_no_delete BEFORE DELETE ON probe_end
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;

-- Every request of it, in order, without secrets.
CREATE TABLE probe_request (
    id          INTEGER PRIMARY KEY,
    probe       INTEGER NOT NULL REFERENCES probe (id),
    method      TEXT    NOT NULL,
    url         TEXT    NOT NULL,
    status      INTEGER,          -- NULL: there was no answer.
    n_bytes     INTEGER NOT NULL, -- Of the answer.
    body_sha256 BLOB    NOT NULL, -- Of the answer.
    sent_sha256 BLOB,             -- Of what was sent with it; NULL: nothing.
    sent_ms     INTEGER NOT NULL
) STRICT;

CREATE TRIGGER probe_request_no_update BEFORE UPDATE ON probe_request
BEGIN SELECT RAISE(ABORT, 'what was sent is never changed'); END;
CREATE TRIGGER probe_request_no_delete BEFORE DELETE ON probe_request
BEGIN SELECT RAISE(ABORT, 'what was sent is never deleted'); END;
