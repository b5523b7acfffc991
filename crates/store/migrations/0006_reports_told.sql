-- The report of a run is a notice, too; of each delivery it is known when it was due first, and of
-- each request how long was waited before it.

ALTER TABLE request ADD COLUMN waited_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE other_request ADD COLUMN waited_ms INTEGER NOT NULL DEFAULT 0;

-- A constraint cannot be changed, so the three tables of the outbox are written anew.

CREATE TABLE notice_new (
    id       INTEGER PRIMARY KEY,
    key      TEXT    NOT NULL,
    reason   TEXT    NOT NULL CHECK (reason IN ('opened', 'reopened', 'worsened', 'reminder',
                                                'escalated', 'resolved', 'baseline', 'storm',
                                                'digest', 'watcher', 'undelivered', 'report',
                                                'test')),
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
CREATE TABLE notice_person_new (
    notice  INTEGER NOT NULL REFERENCES notice_new (id),
    finding INTEGER NOT NULL,
    name    TEXT,
    login   TEXT,
    PRIMARY KEY (notice, finding)
) STRICT;

CREATE TABLE delivery_new (
    id           INTEGER PRIMARY KEY,
    notice       INTEGER NOT NULL REFERENCES notice_new (id),
    channel      TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'dropped', 'superseded',
                                                   'given_up')),
    first_due_ms INTEGER NOT NULL, -- When it was to be told.
    due_at_ms    INTEGER NOT NULL, -- When it is to be sent, or sent again.
    n_attempts   INTEGER NOT NULL,
    tried_at_ms  INTEGER,
    reference    TEXT,
    why          TEXT,
    forwarded    INTEGER NOT NULL DEFAULT 0 CHECK (forwarded IN (0, 1)) -- Told by other channels.
) STRICT;

INSERT INTO notice_new (id, key, reason, severity, app, run, at_ms, title, lines, findings, items)
    SELECT id, key, reason, severity, app, run, at_ms, title, lines, findings, items FROM notice;
INSERT INTO notice_person_new (notice, finding, name, login)
    SELECT notice, finding, name, login FROM notice_person;
-- Of what was tried before this, the time of the notice stands for it.
INSERT INTO delivery_new (id, notice, channel, state, first_due_ms, due_at_ms, n_attempts,
                          tried_at_ms, reference, why, forwarded)
    SELECT d.id, d.notice, d.channel, d.state, iif(d.n_attempts > 0, n.at_ms, d.due_at_ms),
           d.due_at_ms, d.n_attempts, d.tried_at_ms, d.reference, d.why, d.forwarded
    FROM delivery d JOIN notice n ON n.id = d.notice;

DROP TABLE delivery;
DROP TABLE notice_person;
DROP TABLE notice;
ALTER TABLE notice_new RENAME TO notice;
ALTER TABLE notice_person_new RENAME TO notice_person;
ALTER TABLE delivery_new RENAME TO delivery;

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
