-- A word may have a category and an action of its own in place of its list's.
ALTER TABLE words ADD COLUMN category TEXT NOT NULL DEFAULT '';
ALTER TABLE words ADD COLUMN action TEXT NOT NULL DEFAULT '';
