-- What the mending of journals keeps.

-- The newest head of each log that a journal held here has noted (HeadNoted), checked against the one before. Of the own journal
-- it is a guard: no head that contradicts it is cosigned. Of a child's it comes from that child's journal.
CREATE TABLE noted (
  witness TEXT NOT NULL,
  log_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (witness, log_id)
) WITHOUT ROWID;

-- Primary: forks of children's journals, their evidence and what was decided. The newest of an origin counts.
CREATE TABLE fork (
  origin TEXT NOT NULL,
  n INTEGER NOT NULL,
  found_at_us INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  held TEXT NOT NULL,
  shown TEXT NOT NULL,
  common INTEGER NOT NULL,
  kept INTEGER NOT NULL,
  note TEXT NOT NULL,
  decided_by TEXT NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (origin, n)
) WITHOUT ROWID;

-- Primary: entries kept apart: at a parent the branch it does not take, at a child the branch it gives up until it is entered again.
CREATE TABLE aside (
  origin TEXT NOT NULL,
  n INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  leaf BLOB NOT NULL,
  PRIMARY KEY (origin, n, idx)
) WITHOUT ROWID;
