-- Steps of runs of scores, a projection: drafts, reviews, publications, appeals, points by hand.

CREATE TABLE score_step (
  origin TEXT NOT NULL,
  run TEXT NOT NULL,
  idx INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (origin, run, idx)
) WITHOUT ROWID;
