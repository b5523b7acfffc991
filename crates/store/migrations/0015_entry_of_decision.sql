-- The entry of the ledger that tells of a decision; NULL: it was made before this was kept.
ALTER TABLE decision ADD COLUMN entry INTEGER REFERENCES ledger_entry (seq);
