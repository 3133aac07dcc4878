-- How nodes below conduct themselves, for standing re-supervision.

-- Projections of received journals.

CREATE TABLE owed_answer (
  origin TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  agency TEXT NOT NULL,
  level INTEGER NOT NULL,
  due_day INTEGER NOT NULL,
  PRIMARY KEY (origin, alert_id)
) WITHOUT ROWID;

CREATE INDEX owed_answer_due ON owed_answer (origin, due_day);

CREATE TABLE entered (
  origin TEXT NOT NULL,
  day INTEGER NOT NULL,
  agency TEXT NOT NULL,
  events INTEGER NOT NULL,
  late INTEGER NOT NULL,
  PRIMARY KEY (origin, day, agency)
) WITHOUT ROWID;

CREATE TABLE decided (
  origin TEXT NOT NULL,
  day INTEGER NOT NULL,
  cards INTEGER NOT NULL,
  cancelled INTEGER NOT NULL,
  PRIMARY KEY (origin, day)
) WITHOUT ROWID;

CREATE TABLE remark (
  origin TEXT NOT NULL,
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  idx INTEGER NOT NULL,
  since_us INTEGER NOT NULL,
  measure INTEGER NOT NULL,
  agency TEXT NOT NULL,
  item TEXT NOT NULL,
  actor TEXT NOT NULL,
  figures TEXT NOT NULL,
  PRIMARY KEY (origin, rule, subject)
) WITHOUT ROWID;

-- Primary: what was found here beside journals, and since when.

CREATE TABLE differing (
  origin TEXT NOT NULL,
  day INTEGER NOT NULL,
  figures INTEGER NOT NULL,
  found_at_us INTEGER NOT NULL,
  PRIMARY KEY (origin, day)
) WITHOUT ROWID;

CREATE TABLE suspect (
  origin TEXT NOT NULL,
  alert_id TEXT NOT NULL,
  case_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  rule TEXT NOT NULL,
  level INTEGER NOT NULL,
  since_us INTEGER NOT NULL,
  due_at_us INTEGER NOT NULL,
  over_by INTEGER NOT NULL,
  agency TEXT NOT NULL,
  item TEXT NOT NULL,
  actor TEXT NOT NULL,
  size INTEGER NOT NULL,
  found_at_us INTEGER NOT NULL,
  linked_us INTEGER NOT NULL,
  ripe INTEGER NOT NULL,
  PRIMARY KEY (origin, alert_id)
) WITHOUT ROWID;

CREATE INDEX suspect_case ON suspect (origin, case_id);
