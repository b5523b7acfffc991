-- The turns of the schedule: which run was done for which due time, and which due times had none.
-- A run that somebody asked for has no line.

CREATE TABLE turn (
    run             INTEGER PRIMARY KEY REFERENCES run (id),
    due_ms          INTEGER NOT NULL,
    began_ms        INTEGER NOT NULL,
    schedule        TEXT    NOT NULL, -- Zone and expressions, as they were in force.
    n_missed        INTEGER NOT NULL, -- Due times since the turn before that had no run.
    first_missed_ms INTEGER -- NULL: none was missed.
) STRICT;
