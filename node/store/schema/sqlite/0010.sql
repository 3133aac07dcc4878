-- Cases that came down: handed over or returned by a node above to the node whose journal has the receipt. A projection.

CREATE TABLE arrival (
  origin TEXT NOT NULL,
  idx INTEGER NOT NULL,
  case_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  sender_idx INTEGER NOT NULL,
  number INTEGER NOT NULL,
  event BLOB NOT NULL,
  PRIMARY KEY (origin, idx)
) WITHOUT ROWID;

CREATE INDEX arrival_case ON arrival (origin, case_id);
