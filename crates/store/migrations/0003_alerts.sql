-- The outbox. A notice is what there is to tell, written with the run that decided on it; a delivery
-- is that notice for one channel, and changes as it is sent.

CREATE TABLE notice (
    id       INTEGER PRIMARY KEY,
    key      TEXT    NOT NULL,
    reason   TEXT    NOT NULL CHECK (reason IN ('opened', 'reopened', 'worsened', 'reminder',
                                                'escalated', 'resolved', 'baseline', 'storm',
                                                'digest', 'watcher', 'undelivered', 'test')),
    severity TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    app      TEXT,
    run      INTEGER REFERENCES run (id), -- NULL: decided between runs.
    at_ms    INTEGER NOT NULL,
    title    TEXT    NOT NULL,
    lines    TEXT    NOT NULL, -- JSON
    findings TEXT    NOT NULL, -- JSON: numbers.
    items    TEXT    NOT NULL  -- JSON, without names.
) STRICT;

-- Names for channels that may show them. Apart from the notice, so that they can be erased.
CREATE TABLE notice_person (
    notice  INTEGER NOT NULL REFERENCES notice (id),
    finding INTEGER NOT NULL,
    name    TEXT,
    login   TEXT,
    PRIMARY KEY (notice, finding)
) STRICT;

CREATE TABLE delivery (
    id         INTEGER PRIMARY KEY,
    notice      INTEGER NOT NULL REFERENCES notice (id),
    channel     TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'dropped', 'superseded',
                                                  'given_up')),
    due_at_ms   INTEGER NOT NULL,
    n_attempts  INTEGER NOT NULL,
    tried_at_ms INTEGER,
    reference   TEXT,
    why         TEXT,
    forwarded   INTEGER NOT NULL DEFAULT 0 CHECK (forwarded IN (0, 1)) -- Told by other channels.
) STRICT;

-- What a channel was told under a key is asked for with every run.
CREATE INDEX notice_key ON notice (key);
CREATE INDEX delivery_notice ON delivery (notice);
CREATE INDEX delivery_pending ON delivery (channel, due_at_ms) WHERE state = 'pending';

CREATE TRIGGER notice_no_update BEFORE UPDATE ON notice
BEGIN SELECT RAISE(ABORT, 'what was to be told is never changed'); END;
CREATE TRIGGER notice_no_delete BEFORE DELETE ON notice
BEGIN SELECT RAISE(ABORT, 'what was to be told is never deleted'); END;
CREATE TRIGGER delivery_no_delete BEFORE DELETE ON delivery
BEGIN SELECT RAISE(ABORT, 'what became of a notice is never deleted'); END;
CREATE TRIGGER delivery_is_settled BEFORE UPDATE OF state, n_attempts, reference ON delivery
WHEN OLD.state <> 'pending'
BEGIN SELECT RAISE(ABORT, 'what became of a notice is never changed'); END;
