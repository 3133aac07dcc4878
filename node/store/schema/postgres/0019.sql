-- Rounds of video patrols, a projection: begun, each stop, ended.

CREATE TABLE patrol_step (
  origin TEXT COLLATE "C" NOT NULL,
  round TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  plan TEXT COLLATE "C" NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (origin, round, idx)
);
CREATE INDEX patrol_step_begun ON patrol_step (origin, kind, idx);
