-- Primary: who may be a child here, and with which keys. The journal's entries say when and why; this is what they come to.

CREATE TABLE child (
  node TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  tier TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  state BIGINT NOT NULL,
  tls_key BYTEA NOT NULL,
  authority_key BYTEA NOT NULL,
  sealing_key BYTEA NOT NULL,
  log_id TEXT COLLATE "C" NOT NULL,
  verifier TEXT COLLATE "C" NOT NULL,
  invitation TEXT COLLATE "C" NOT NULL,
  certificates BYTEA NOT NULL,
  changed_at_us BIGINT NOT NULL,
  reason TEXT COLLATE "C" NOT NULL
);

CREATE TABLE invitation (
  invitation TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  digest BYTEA NOT NULL,
  node TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  approval BIGINT NOT NULL,
  replaces BIGINT NOT NULL,
  expires_at_us BIGINT NOT NULL,
  used_by BYTEA NOT NULL
);
