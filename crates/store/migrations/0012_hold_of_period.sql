-- Legal holds on whatever is kept of one app and period. Their line in `legal_hold` has the entity 0,
-- which no row has.
CREATE TABLE legal_hold_period (
    hold    INTEGER PRIMARY KEY REFERENCES legal_hold (id),
    app     TEXT    NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms   INTEGER NOT NULL -- The first instant after it.
) STRICT;

CREATE TRIGGER legal_hold_period_no_update BEFORE UPDATE ON legal_hold_period
BEGIN SELECT RAISE(ABORT, 'what a person did is never changed'); END;
CREATE TRIGGER legal_hold_period_no_delete BEFORE DELETE ON legal_hold_period
BEGIN SELECT RAISE(ABORT, 'what a person did is never deleted'); END;
