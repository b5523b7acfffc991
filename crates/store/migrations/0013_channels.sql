-- By which view of an app an account was asked for. Before this, only SCIM was asked by id.
ALTER TABLE observation ADD COLUMN channel TEXT;
UPDATE observation SET channel = 'scim' WHERE list = 'accounts';
