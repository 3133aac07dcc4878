-- Which entries from above a node has signed for: its receipts, a projection of every journal.

CREATE TABLE receipt (
  origin TEXT COLLATE "C" NOT NULL,
  sender TEXT COLLATE "C" NOT NULL,
  sender_idx BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  PRIMARY KEY (origin, sender, sender_idx)
);
