-- Checkpoints that are taken out of the operator's reach, one line for each and each anchor, and
-- what came of it.

CREATE TABLE anchor (
    id          INTEGER PRIMARY KEY,
    size        INTEGER NOT NULL REFERENCES checkpoint (size), -- Which checkpoint.
    name        TEXT    NOT NULL, -- Its name in the settings.
    kind        TEXT    NOT NULL CHECK (kind IN ('folder', 'git', 'rfc3161', 's3')),
    state       TEXT    NOT NULL CHECK (state IN ('pending', 'made', 'failed')),
    asked_at_ms INTEGER NOT NULL,
    due_at_ms   INTEGER NOT NULL, -- When it is to be tried, or tried again.
    n_attempts  INTEGER NOT NULL,
    made_at_ms  INTEGER,
    place       TEXT, -- Where it is, for people.
    proof       BLOB, -- What the place gave, whole.
    why         TEXT, -- What happened at the last try.
    CHECK ((state = 'made') = (proof IS NOT NULL)),
    CHECK ((state = 'made') = (made_at_ms IS NOT NULL))
) STRICT;

-- When one was made last is asked with every run.
CREATE INDEX anchor_name ON anchor (name, id);

CREATE TRIGGER anchor_no_delete BEFORE DELETE ON anchor
BEGIN SELECT RAISE(ABORT, 'what became of an anchor is never deleted'); END;
CREATE TRIGGER anchor_is_settled BEFORE UPDATE ON anchor WHEN OLD.state <> 'pending'
BEGIN SELECT RAISE(ABORT, 'what became of an anchor is never changed'); END;
