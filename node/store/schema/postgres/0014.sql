-- Primary: keys that signed a journal once, own or received, and the number of entries up to which each is believed. `statement` is the change
-- as both keys signed it; empty where a key was lost with its box and the parent enrolled another.

CREATE TABLE former_key (
  log_id TEXT COLLATE "C" NOT NULL,
  verifier TEXT COLLATE "C" NOT NULL,
  until_size BIGINT NOT NULL,
  statement BYTEA NOT NULL,
  PRIMARY KEY (log_id, verifier)
);
