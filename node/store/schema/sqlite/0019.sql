-- Rounds of video patrols, a projection: begun, each stop, ended.

CREATE TABLE patrol_step (
  origin TEXT NOT NULL,
  round TEXT NOT NULL,
  idx INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  kind TEXT NOT NULL,
  plan TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (origin, round, idx)
) WITHOUT ROWID;
CREATE INDEX patrol_step_begun ON patrol_step (origin, kind, idx);
