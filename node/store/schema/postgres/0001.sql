-- A node's store. `origin` is the node whose journal a row comes from; it leads every key, and nothing is unique across
-- origins. Text compares by bytes (COLLATE "C"), as in SQLite. *_us: microseconds since 1970-01-01T00:00:00Z; day: days since
-- 1970-01-01.

-- Primary: journals, own and received.

CREATE TABLE log (
  origin TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  own BIGINT NOT NULL,
  log_id TEXT COLLATE "C" NOT NULL,
  verifier TEXT COLLATE "C" NOT NULL,
  size BIGINT NOT NULL,
  root BYTEA NOT NULL,
  note TEXT COLLATE "C" NOT NULL,
  signed_at_us BIGINT NOT NULL,
  cosigned_size BIGINT NOT NULL,
  cosigned_note TEXT COLLATE "C" NOT NULL
);

-- A node has one journal of its own.
CREATE UNIQUE INDEX log_own ON log (own) WHERE own = 1;

CREATE TABLE journal (
  origin TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  leaf BYTEA NOT NULL,
  PRIMARY KEY (origin, idx)
);

CREATE TABLE tile (
  origin TEXT COLLATE "C" NOT NULL,
  level BIGINT NOT NULL,
  n BIGINT NOT NULL,
  hashes BYTEA NOT NULL,
  PRIMARY KEY (origin, level, n)
);

-- Primary: persons and free text, sealed.

CREATE TABLE vault (
  handle TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  lookup TEXT COLLATE "C" NOT NULL UNIQUE,
  sealed BYTEA NOT NULL
);

CREATE TABLE vault_text (
  digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  sealed BYTEA NOT NULL
);

-- Primary: the state of the link, the nodes below, imports under way, ticks that were won.

CREATE TABLE link (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  value BYTEA NOT NULL
);

CREATE TABLE card (
  node TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  body BYTEA NOT NULL
);

CREATE TABLE import_run (
  import_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  source TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  settled_row BIGINT NOT NULL,
  accepted BIGINT NOT NULL,
  rejected BIGINT NOT NULL
);

CREATE TABLE schedule_tick (
  schedule TEXT COLLATE "C" NOT NULL,
  fire_at_us BIGINT NOT NULL,
  PRIMARY KEY (schedule, fire_at_us)
);

-- Guard of the own journal: one entry for each (source, serial).

CREATE TABLE seen (
  source TEXT COLLATE "C" NOT NULL,
  serial TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  PRIMARY KEY (source, serial)
);

-- Projections: everything below comes from journals and may be dropped. (Own alerts are a guard too.)

CREATE TABLE cursor (
  projector TEXT COLLATE "C" NOT NULL,
  origin TEXT COLLATE "C" NOT NULL,
  position BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (projector, origin)
);

CREATE TABLE event (
  origin TEXT COLLATE "C" NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  day_only BIGINT NOT NULL,
  zone TEXT COLLATE "C" NOT NULL,
  domain TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  received_at_us BIGINT NOT NULL,
  noted_at_us BIGINT NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  step TEXT COLLATE "C" NOT NULL,
  applicant TEXT COLLATE "C" NOT NULL,
  import_id TEXT COLLATE "C" NOT NULL,
  attributes TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, case_id, idx)
);

CREATE TABLE facts (
  origin TEXT COLLATE "C" NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL,
  domain TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  received_at_us BIGINT,
  accepted_at_us BIGINT,
  completed_at_us BIGINT,
  statutory_due_us BIGINT,
  promised_due_us BIGINT,
  late BIGINT,
  figures TEXT COLLATE "C" NOT NULL,
  duration_days BIGINT,
  applicant TEXT COLLATE "C" NOT NULL,
  next_at_us BIGINT,
  import_id TEXT COLLATE "C" NOT NULL,
  size BIGINT NOT NULL,
  PRIMARY KEY (origin, case_id)
);

CREATE INDEX facts_next ON facts (origin, import_id, next_at_us) WHERE next_at_us IS NOT NULL;
CREATE INDEX facts_item ON facts (origin, item);
CREATE INDEX facts_received ON facts (origin, received_at_us);

CREATE TABLE fact_day (
  origin TEXT COLLATE "C" NOT NULL,
  day BIGINT NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, day, case_id)
);

CREATE INDEX fact_day_case ON fact_day (origin, case_id);

CREATE TABLE alert (
  origin TEXT COLLATE "C" NOT NULL,
  alert_id TEXT COLLATE "C" NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  domain TEXT COLLATE "C" NOT NULL,
  rule TEXT COLLATE "C" NOT NULL,
  level BIGINT NOT NULL,
  episode BIGINT NOT NULL,
  state BIGINT NOT NULL,
  since_us BIGINT NOT NULL,
  due_at_us BIGINT NOT NULL,
  raised_at_us BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  over_by BIGINT NOT NULL,
  journal_size BIGINT NOT NULL,
  policy_version BIGINT NOT NULL,
  calendar_version TEXT COLLATE "C" NOT NULL,
  rule_version BIGINT NOT NULL,
  PRIMARY KEY (origin, alert_id)
);

CREATE UNIQUE INDEX alert_key ON alert (origin, case_id, subject, rule, level, episode);
CREATE INDEX alert_idx ON alert (origin, idx);
CREATE INDEX alert_since ON alert (origin, since_us);
CREATE INDEX alert_kind ON alert (origin, rule, level, state);

CREATE TABLE rollup (
  node TEXT COLLATE "C" NOT NULL,
  day BIGINT NOT NULL,
  domain TEXT COLLATE "C" NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  line TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  figures TEXT COLLATE "C" NOT NULL,
  durations BYTEA NOT NULL,
  applicants BYTEA NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (node, day, domain, agency, line, item)
);

CREATE INDEX rollup_version ON rollup (node, version);

CREATE TABLE catalogue (
  origin TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  code TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (origin, kind, code, version)
);
