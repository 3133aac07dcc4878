-- Primary: who may be a child here, and with which keys. The journal's entries say when and why; this is what they come to.

CREATE TABLE child (
  node TEXT NOT NULL PRIMARY KEY,
  tier TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  state INTEGER NOT NULL,
  tls_key BLOB NOT NULL,
  authority_key BLOB NOT NULL,
  sealing_key BLOB NOT NULL,
  log_id TEXT NOT NULL,
  verifier TEXT NOT NULL,
  invitation TEXT NOT NULL,
  certificates BLOB NOT NULL,
  changed_at_us INTEGER NOT NULL,
  reason TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE invitation (
  invitation TEXT NOT NULL PRIMARY KEY,
  digest BLOB NOT NULL,
  node TEXT NOT NULL,
  kind TEXT NOT NULL,
  approval INTEGER NOT NULL,
  replaces INTEGER NOT NULL,
  expires_at_us INTEGER NOT NULL,
  used_by BLOB NOT NULL
) WITHOUT ROWID;
