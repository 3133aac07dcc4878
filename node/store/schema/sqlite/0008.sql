-- The policies from above under which an alert was raised.

ALTER TABLE alert ADD COLUMN mandates TEXT NOT NULL DEFAULT '';
