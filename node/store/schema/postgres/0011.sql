-- Steps of alerts' lives, a projection: how each was raised and every move since.

CREATE TABLE alert_step (
  origin TEXT COLLATE "C" NOT NULL,
  alert_id TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  state BIGINT NOT NULL,
  by_whom TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  files TEXT COLLATE "C" NOT NULL,
  node TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, alert_id, idx)
);

CREATE INDEX alert_step_idx ON alert_step (origin, idx);
CREATE INDEX alert_state ON alert (origin, state, raised_at_us);

-- Primary: what is on its way out, and how far people have read.

CREATE TABLE outbox (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  channel TEXT COLLATE "C" NOT NULL,
  recipient TEXT COLLATE "C" NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  made_at_us BIGINT NOT NULL,
  next_at_us BIGINT NOT NULL,
  attempts BIGINT NOT NULL
);

CREATE INDEX outbox_next ON outbox (next_at_us);

CREATE TABLE reading (
  number TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  idx BIGINT NOT NULL
);
