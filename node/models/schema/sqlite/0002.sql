-- People who use the node, and how they come in. Secrets are kept as hashes only.

CREATE TABLE person (
  number TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  agency TEXT NOT NULL,
  line TEXT NOT NULL,
  email TEXT NOT NULL,
  roles JSON NOT NULL,
  password TEXT NOT NULL,
  must_change INTEGER NOT NULL CHECK (must_change IN (0, 1)),
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  changed_at_us INTEGER NOT NULL
);

CREATE TABLE session (
  digest TEXT NOT NULL PRIMARY KEY,
  number TEXT NOT NULL REFERENCES person (number),
  csrf TEXT NOT NULL,
  begun_at_us INTEGER NOT NULL,
  seen_at_us INTEGER NOT NULL
);

CREATE INDEX session_number ON session (number);

CREATE TABLE token (
  digest TEXT NOT NULL PRIMARY KEY,
  number TEXT NOT NULL REFERENCES person (number),
  label TEXT NOT NULL,
  acts JSON NOT NULL,
  made_by TEXT NOT NULL,
  made_at_us INTEGER NOT NULL,
  expires_at_us INTEGER NOT NULL,
  UNIQUE (number, label)
);

CREATE TABLE attempt (
  key TEXT NOT NULL PRIMARY KEY,
  failures INTEGER NOT NULL,
  last_at_us INTEGER NOT NULL
);

CREATE INDEX attempt_last ON attempt (last_at_us);
