-- People who use the node, and how they come in. Secrets are kept as hashes only.

CREATE TABLE person (
  number TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  line TEXT COLLATE "C" NOT NULL,
  email TEXT COLLATE "C" NOT NULL,
  roles JSONB NOT NULL,
  password TEXT COLLATE "C" NOT NULL,
  must_change BOOLEAN NOT NULL,
  active BOOLEAN NOT NULL,
  changed_at_us BIGINT NOT NULL
);

CREATE TABLE session (
  digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  number TEXT COLLATE "C" NOT NULL REFERENCES person (number),
  csrf TEXT COLLATE "C" NOT NULL,
  begun_at_us BIGINT NOT NULL,
  seen_at_us BIGINT NOT NULL
);

CREATE INDEX session_number ON session (number);

CREATE TABLE token (
  digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  number TEXT COLLATE "C" NOT NULL REFERENCES person (number),
  label TEXT COLLATE "C" NOT NULL,
  acts JSONB NOT NULL,
  made_by TEXT COLLATE "C" NOT NULL,
  made_at_us BIGINT NOT NULL,
  expires_at_us BIGINT NOT NULL,
  UNIQUE (number, label)
);

CREATE TABLE attempt (
  key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  failures BIGINT NOT NULL,
  last_at_us BIGINT NOT NULL
);

CREATE INDEX attempt_last ON attempt (last_at_us);
