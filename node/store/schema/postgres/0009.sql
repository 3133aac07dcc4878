-- What the mending of journals keeps.

-- The newest head of each log that a journal held here has noted (HeadNoted), checked against the one before. Of the own journal
-- it is a guard: no head that contradicts it is cosigned. Of a child's it comes from that child's journal.
CREATE TABLE noted (
  witness TEXT COLLATE "C" NOT NULL,
  log_id TEXT COLLATE "C" NOT NULL,
  origin TEXT COLLATE "C" NOT NULL,
  size BIGINT NOT NULL,
  root BYTEA NOT NULL,
  note TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (witness, log_id)
);

-- Primary: forks of children's journals, their evidence and what was decided. The newest of an origin counts.
CREATE TABLE fork (
  origin TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  found_at_us BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  held TEXT COLLATE "C" NOT NULL,
  shown TEXT COLLATE "C" NOT NULL,
  common BIGINT NOT NULL,
  kept BIGINT NOT NULL,
  note TEXT COLLATE "C" NOT NULL,
  decided_by TEXT COLLATE "C" NOT NULL,
  why TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, n)
);

-- Primary: entries kept apart: at a parent the branch it does not take, at a child the branch it gives up until it is entered again.
CREATE TABLE aside (
  origin TEXT COLLATE "C" NOT NULL,
  n BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  leaf BYTEA NOT NULL,
  PRIMARY KEY (origin, n, idx)
);
