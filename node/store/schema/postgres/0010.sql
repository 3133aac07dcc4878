-- Cases that came down: handed over or returned by a node above to the node whose journal has the receipt. A projection.

CREATE TABLE arrival (
  origin TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL,
  sender TEXT COLLATE "C" NOT NULL,
  sender_idx BIGINT NOT NULL,
  number BIGINT NOT NULL,
  event BYTEA NOT NULL,
  PRIMARY KEY (origin, idx)
);

CREATE INDEX arrival_case ON arrival (origin, case_id);
