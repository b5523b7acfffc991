-- Lists that the settings ask for and that no run saw whole so far; each run writes all of them anew.

CREATE TABLE unseen (
    id       INTEGER PRIMARY KEY,
    system   TEXT    NOT NULL,
    list     TEXT CHECK (list IN
        ('identities', 'assignments', 'memberships', 'accounts', 'nonhumans', 'leavers')), -- NULL: not known.
    since_ms INTEGER NOT NULL -- When a run asked for it first.
) STRICT;
