-- How much a run looked at: every list, or only those who must be asked again by id.

ALTER TABLE run ADD COLUMN pass TEXT NOT NULL DEFAULT 'full' CHECK (pass IN ('full', 'light'));
