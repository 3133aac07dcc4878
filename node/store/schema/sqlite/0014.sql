-- Primary: keys that signed a journal once, own or received, and the number of entries up to which each is believed. `statement` is the change
-- as both keys signed it; empty where a key was lost with its box and the parent enrolled another.

CREATE TABLE former_key (
  log_id TEXT NOT NULL,
  verifier TEXT NOT NULL,
  until_size INTEGER NOT NULL,
  statement BLOB NOT NULL,
  PRIMARY KEY (log_id, verifier)
) WITHOUT ROWID;
