-- Files that an entry names: their own, those of nodes below that are for this node, and those that pass on their way up.
-- Primary: what is held is on the disk, and which of it the parent has is written nowhere else.

CREATE TABLE file (
  origin TEXT COLLATE "C" NOT NULL,
  sha256 TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  via TEXT COLLATE "C" NOT NULL,
  size BIGINT NOT NULL,
  media_type TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  reader TEXT COLLATE "C" NOT NULL,
  purpose BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  up TEXT COLLATE "C" NOT NULL,
  since_us BIGINT NOT NULL,
  words TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, sha256)
);

CREATE INDEX file_up ON file (up, state, since_us);

-- What was sealed to this node, and answers that came down to it. `digest` is the vault's, once it is opened.
CREATE TABLE sealed (
  origin TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  reader_key TEXT COLLATE "C" NOT NULL,
  body BYTEA NOT NULL,
  at_us BIGINT NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  words TEXT COLLATE "C" NOT NULL,
  answered_idx BIGINT,
  PRIMARY KEY (origin, idx)
);

CREATE INDEX sealed_key ON sealed (reader_key);

-- A projection: what was made public here and below.
CREATE TABLE disclosure (
  origin TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  own_idx BIGINT NOT NULL,
  published_at_us BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (origin, idx)
);

CREATE INDEX disclosure_published ON disclosure (published_at_us);
