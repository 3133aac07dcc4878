-- How nodes below conduct themselves, for standing re-supervision.

-- Projections of received journals.

CREATE TABLE owed_answer (
  origin TEXT COLLATE "C" NOT NULL,
  alert_id TEXT COLLATE "C" NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  level BIGINT NOT NULL,
  due_day BIGINT NOT NULL,
  PRIMARY KEY (origin, alert_id)
);

CREATE INDEX owed_answer_due ON owed_answer (origin, due_day);

CREATE TABLE entered (
  origin TEXT COLLATE "C" NOT NULL,
  day BIGINT NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  events BIGINT NOT NULL,
  late BIGINT NOT NULL,
  PRIMARY KEY (origin, day, agency)
);

CREATE TABLE decided (
  origin TEXT COLLATE "C" NOT NULL,
  day BIGINT NOT NULL,
  cards BIGINT NOT NULL,
  cancelled BIGINT NOT NULL,
  PRIMARY KEY (origin, day)
);

CREATE TABLE remark (
  origin TEXT COLLATE "C" NOT NULL,
  rule TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  since_us BIGINT NOT NULL,
  measure BIGINT NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  figures TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, rule, subject)
);

-- Primary: what was found here beside journals, and since when.

CREATE TABLE differing (
  origin TEXT COLLATE "C" NOT NULL,
  day BIGINT NOT NULL,
  figures BIGINT NOT NULL,
  found_at_us BIGINT NOT NULL,
  PRIMARY KEY (origin, day)
);

CREATE TABLE suspect (
  origin TEXT COLLATE "C" NOT NULL,
  alert_id TEXT COLLATE "C" NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  rule TEXT COLLATE "C" NOT NULL,
  level BIGINT NOT NULL,
  since_us BIGINT NOT NULL,
  due_at_us BIGINT NOT NULL,
  over_by BIGINT NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  size BIGINT NOT NULL,
  found_at_us BIGINT NOT NULL,
  linked_us BIGINT NOT NULL,
  ripe BIGINT NOT NULL,
  PRIMARY KEY (origin, alert_id)
);

CREATE INDEX suspect_case ON suspect (origin, case_id);
