-- Matching across nodes by linkage token.

-- Primary: keys under which tokens are computed here, sealed by the vault's key, and how far the own journal is read for each.
CREATE TABLE linkage_key (
  name TEXT NOT NULL PRIMARY KEY,
  issuer TEXT NOT NULL,
  purpose TEXT NOT NULL,
  number INTEGER NOT NULL,
  from_day INTEGER NOT NULL,
  to_day INTEGER NOT NULL,
  closed INTEGER NOT NULL,
  secret BLOB NOT NULL,
  position INTEGER NOT NULL
) WITHOUT ROWID;

-- A projection: every token that journals held here say.
CREATE TABLE linkage (
  key TEXT NOT NULL,
  token TEXT NOT NULL,
  role TEXT NOT NULL,
  origin TEXT NOT NULL,
  idx INTEGER NOT NULL,
  case_id TEXT NOT NULL,
  grp TEXT NOT NULL,
  party TEXT NOT NULL,
  handle TEXT NOT NULL,
  at_us INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  agency TEXT NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY (key, token, role, origin, idx)
) WITHOUT ROWID;
CREATE INDEX linkage_handle ON linkage (origin, handle);
CREATE INDEX linkage_party ON linkage (key, party) WHERE party <> '';
CREATE INDEX linkage_tender ON linkage (key, grp) WHERE party <> '';

-- What is to be compared: tokens, and parties and tenders (roles "party", "tender"), of which something is new.
CREATE TABLE linkage_due (
  key TEXT NOT NULL,
  role TEXT NOT NULL,
  token TEXT NOT NULL,
  PRIMARY KEY (key, role, token)
) WITHOUT ROWID;

-- Handles whose persons were erased: their tokens count no more, also those that come later.
CREATE TABLE linkage_erased (
  origin TEXT NOT NULL,
  handle TEXT NOT NULL,
  PRIMARY KEY (origin, handle)
) WITHOUT ROWID;

-- Primary: what a standing match was found by.
CREATE TABLE linkage_match (
  key TEXT NOT NULL,
  member TEXT NOT NULL,
  about TEXT NOT NULL,
  PRIMARY KEY (key, member, about)
) WITHOUT ROWID;

-- A projection: the seed that came from above for a request of a draw, by the index of the request, and where its receipt is.
CREATE TABLE draw_seed (
  request_idx INTEGER NOT NULL PRIMARY KEY,
  idx INTEGER NOT NULL
);
