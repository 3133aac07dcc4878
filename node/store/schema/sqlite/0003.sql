-- The audit trail, a projection: who came in, was refused, looked at what; which account changed.

CREATE TABLE access (
  origin TEXT NOT NULL,
  idx INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  kind TEXT NOT NULL,
  who TEXT NOT NULL,
  subject TEXT NOT NULL,
  purpose TEXT NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (origin, idx)
) WITHOUT ROWID;

CREATE INDEX access_who ON access (origin, who, idx);
