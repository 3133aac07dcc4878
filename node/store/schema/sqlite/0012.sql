-- Which entries from above a node has signed for: its receipts, a projection of every journal.

CREATE TABLE receipt (
  origin TEXT NOT NULL,
  sender TEXT NOT NULL,
  sender_idx INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  PRIMARY KEY (origin, sender, sender_idx)
) WITHOUT ROWID;
