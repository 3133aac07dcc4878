-- Matching across nodes by linkage token.

-- Primary: keys under which tokens are computed here, sealed by the vault's key, and how far the own journal is read for each.
CREATE TABLE linkage_key (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  issuer TEXT COLLATE "C" NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  from_day BIGINT NOT NULL,
  to_day BIGINT NOT NULL,
  closed BIGINT NOT NULL,
  secret BYTEA NOT NULL,
  position BIGINT NOT NULL
);

-- A projection: every token that journals held here say.
CREATE TABLE linkage (
  key TEXT COLLATE "C" NOT NULL,
  token TEXT COLLATE "C" NOT NULL,
  role TEXT COLLATE "C" NOT NULL,
  origin TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL,
  grp TEXT COLLATE "C" NOT NULL,
  party TEXT COLLATE "C" NOT NULL,
  handle TEXT COLLATE "C" NOT NULL,
  at_us BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (key, token, role, origin, idx)
);
CREATE INDEX linkage_handle ON linkage (origin, handle);
CREATE INDEX linkage_party ON linkage (key, party) WHERE party <> '';
CREATE INDEX linkage_tender ON linkage (key, grp) WHERE party <> '';

-- What is to be compared: tokens, and parties and tenders (roles "party", "tender"), of which something is new.
CREATE TABLE linkage_due (
  key TEXT COLLATE "C" NOT NULL,
  role TEXT COLLATE "C" NOT NULL,
  token TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (key, role, token)
);

-- Handles whose persons were erased: their tokens count no more, also those that come later.
CREATE TABLE linkage_erased (
  origin TEXT COLLATE "C" NOT NULL,
  handle TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, handle)
);

-- Primary: what a standing match was found by.
CREATE TABLE linkage_match (
  key TEXT COLLATE "C" NOT NULL,
  member TEXT COLLATE "C" NOT NULL,
  about TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (key, member, about)
);

-- A projection: the seed that came from above for a request of a draw, by the index of the request, and where its receipt is.
CREATE TABLE draw_seed (
  request_idx BIGINT NOT NULL PRIMARY KEY,
  idx BIGINT NOT NULL
);
