-- A node's store. `origin` is the node whose journal a row comes from; it leads every key, and nothing is unique across
-- origins. *_us: microseconds since 1970-01-01T00:00:00Z; day: days since 1970-01-01.

-- Primary: journals, own and received.

CREATE TABLE log (
  origin TEXT NOT NULL PRIMARY KEY,
  own INTEGER NOT NULL,
  log_id TEXT NOT NULL,
  verifier TEXT NOT NULL,
  size INTEGER NOT NULL,
  root BLOB NOT NULL,
  note TEXT NOT NULL,
  signed_at_us INTEGER NOT NULL,
  cosigned_size INTEGER NOT NULL,
  cosigned_note TEXT NOT NULL
) WITHOUT ROWID;

-- A node has one journal of its own.
CREATE UNIQUE INDEX log_own ON log (own) WHERE own = 1;

CREATE TABLE journal (
  origin TEXT NOT NULL,
  idx INTEGER NOT NULL,
  leaf BLOB NOT NULL,
  PRIMARY KEY (origin, idx)
) WITHOUT ROWID;

CREATE TABLE tile (
  origin TEXT NOT NULL,
  level INTEGER NOT NULL,
  n INTEGER NOT NULL,
  hashes BLOB NOT NULL,
  PRIMARY KEY (origin, level, n)
);

-- Primary: persons and free text, sealed.

CREATE TABLE vault (
  handle TEXT NOT NULL PRIMARY KEY,
  lookup TEXT NOT NULL UNIQUE,
  sealed BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE vault_text (
  digest TEXT NOT NULL PRIMARY KEY,
  sealed BLOB NOT NULL
) WITHOUT ROWID;

-- Primary: the state of the link, the nodes below, imports under way, ticks that were won.

CREATE TABLE link (
  name TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE card (
  node TEXT NOT NULL PRIMARY KEY,
  body BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE import_run (
  import_id TEXT NOT NULL PRIMARY KEY,
  source TEXT NOT NULL,
  state TEXT NOT NULL,
  settled_row INTEGER NOT NULL,
  accepted INTEGER NOT NULL,
  rejected INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE schedule_tick (
  schedule TEXT NOT NULL,
  fire_at_us INTEGER NOT NULL,
  PRIMARY KEY (schedule, fire_at_us)
) WITHOUT ROWID;

-- Guard of the own journal: one entry for each (source, serial).

CREATE TABLE seen (
  source TEXT NOT NULL,
  serial TEXT NOT NULL,
  idx INTEGER NOT NULL,
  PRIMARY KEY (source, serial)
) WITHOUT ROWID;

-- Projections: everything below comes from journals and may be dropped. (Own alerts are a guard too.)

CREATE TABLE cursor (
  projector TEXT NOT NULL,
  origin TEXT NOT NULL,
  position INTEGER NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (projector, origin)
) WITHOUT ROWID;

CREATE TABLE event (
  origin TEXT NOT NULL,
  case_id TEXT NOT NULL,
  idx INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  day_only INTEGER NOT NULL,
  zone TEXT NOT NULL,
  domain TEXT NOT NULL,
  kind TEXT NOT NULL,
  received_at_us INTEGER NOT NULL,
  noted_at_us INTEGER NOT NULL,
  agency TEXT NOT NULL,
  actor TEXT NOT NULL,
  item TEXT NOT NULL,
  step TEXT NOT NULL,
  applicant TEXT NOT NULL,
  import_id TEXT NOT NULL,
  attributes TEXT NOT NULL,
  PRIMARY KEY (origin, case_id, idx)
) WITHOUT ROWID;

CREATE TABLE facts (
  origin TEXT NOT NULL,
  case_id TEXT NOT NULL,
  domain TEXT NOT NULL,
  item TEXT NOT NULL,
  agency TEXT NOT NULL,
  state TEXT NOT NULL,
  received_at_us INTEGER,
  accepted_at_us INTEGER,
  completed_at_us INTEGER,
  statutory_due_us INTEGER,
  promised_due_us INTEGER,
  late INTEGER,
  figures TEXT NOT NULL,
  duration_days INTEGER,
  applicant TEXT NOT NULL,
  next_at_us INTEGER,
  import_id TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (origin, case_id)
) WITHOUT ROWID;

CREATE INDEX facts_next ON facts (origin, import_id, next_at_us) WHERE next_at_us IS NOT NULL;
CREATE INDEX facts_item ON facts (origin, item);
CREATE INDEX facts_received ON facts (origin, received_at_us);

CREATE TABLE fact_day (
  origin TEXT NOT NULL,
  day INTEGER NOT NULL,
  case_id TEXT NOT NULL,
  PRIMARY KEY (origin, day, case_id)
) WITHOUT ROWID;

CREATE INDEX fact_day_case ON fact_day (origin, case_id);

CREATE TABLE alert (
  origin TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  domain TEXT NOT NULL,
  rule TEXT NOT NULL,
  level INTEGER NOT NULL,
  episode INTEGER NOT NULL,
  state INTEGER NOT NULL,
  since_us INTEGER NOT NULL,
  due_at_us INTEGER NOT NULL,
  raised_at_us INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  agency TEXT NOT NULL,
  item TEXT NOT NULL,
  actor TEXT NOT NULL,
  over_by INTEGER NOT NULL,
  journal_size INTEGER NOT NULL,
  policy_version INTEGER NOT NULL,
  calendar_version TEXT NOT NULL,
  rule_version INTEGER NOT NULL,
  PRIMARY KEY (origin, alert_id)
) WITHOUT ROWID;

CREATE UNIQUE INDEX alert_key ON alert (origin, case_id, subject, rule, level, episode);
CREATE INDEX alert_idx ON alert (origin, idx);
CREATE INDEX alert_since ON alert (origin, since_us);
CREATE INDEX alert_kind ON alert (origin, rule, level, state);

CREATE TABLE rollup (
  node TEXT NOT NULL,
  day INTEGER NOT NULL,
  domain TEXT NOT NULL,
  agency TEXT NOT NULL,
  line TEXT NOT NULL,
  item TEXT NOT NULL,
  figures TEXT NOT NULL,
  durations BLOB NOT NULL,
  applicants BLOB NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (node, day, domain, agency, line, item)
);

CREATE INDEX rollup_version ON rollup (node, version);

CREATE TABLE catalogue (
  origin TEXT NOT NULL,
  kind TEXT NOT NULL,
  code TEXT NOT NULL,
  version INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (origin, kind, code, version)
) WITHOUT ROWID;
