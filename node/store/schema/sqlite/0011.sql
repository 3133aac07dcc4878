-- Steps of alerts' lives, a projection: how each was raised and every move since.

CREATE TABLE alert_step (
  origin TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  idx INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  state INTEGER NOT NULL,
  by_whom TEXT NOT NULL,
  reason TEXT NOT NULL,
  text TEXT NOT NULL,
  files TEXT NOT NULL,
  node TEXT NOT NULL,
  PRIMARY KEY (origin, alert_id, idx)
) WITHOUT ROWID;

CREATE INDEX alert_step_idx ON alert_step (origin, idx);
CREATE INDEX alert_state ON alert (origin, state, raised_at_us);

-- Primary: what is on its way out, and how far people have read.

CREATE TABLE outbox (
  id TEXT NOT NULL PRIMARY KEY,
  channel TEXT NOT NULL,
  recipient TEXT NOT NULL,
  body TEXT NOT NULL,
  made_at_us INTEGER NOT NULL,
  next_at_us INTEGER NOT NULL,
  attempts INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX outbox_next ON outbox (next_at_us);

CREATE TABLE reading (
  number TEXT NOT NULL PRIMARY KEY,
  idx INTEGER NOT NULL
) WITHOUT ROWID;
