-- The audit trail, a projection: who came in, was refused, looked at what; which account changed.

CREATE TABLE access (
  origin TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  who TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, idx)
);

CREATE INDEX access_who ON access (origin, who, idx);
