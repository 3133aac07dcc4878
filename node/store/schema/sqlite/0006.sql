-- Files that an entry names: their own, those of nodes below that are for this node, and those that pass on their way up.
-- Primary: what is held is on the disk, and which of it the parent has is written nowhere else.

CREATE TABLE file (
  origin TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  idx INTEGER NOT NULL,
  via TEXT NOT NULL,
  size INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  name TEXT NOT NULL,
  reader TEXT NOT NULL,
  purpose INTEGER NOT NULL,
  state TEXT NOT NULL,
  up TEXT NOT NULL,
  since_us INTEGER NOT NULL,
  words TEXT NOT NULL,
  PRIMARY KEY (origin, sha256)
) WITHOUT ROWID;

CREATE INDEX file_up ON file (up, state, since_us);

-- What was sealed to this node, and answers that came down to it. `digest` is the vault's, once it is opened.
CREATE TABLE sealed (
  origin TEXT NOT NULL,
  idx INTEGER NOT NULL,
  reader_key TEXT NOT NULL,
  body BLOB NOT NULL,
  at_us INTEGER NOT NULL,
  digest TEXT NOT NULL,
  words TEXT NOT NULL,
  answered_idx INTEGER,
  PRIMARY KEY (origin, idx)
) WITHOUT ROWID;

CREATE INDEX sealed_key ON sealed (reader_key);

-- A projection: what was made public here and below.
CREATE TABLE disclosure (
  origin TEXT NOT NULL,
  idx INTEGER NOT NULL,
  own_idx INTEGER NOT NULL,
  published_at_us INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (origin, idx)
) WITHOUT ROWID;

CREATE INDEX disclosure_published ON disclosure (published_at_us);
