-- Steps of runs of scores, a projection: drafts, reviews, publications, appeals, points by hand.

CREATE TABLE score_step (
  origin TEXT COLLATE "C" NOT NULL,
  run TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (origin, run, idx)
);
