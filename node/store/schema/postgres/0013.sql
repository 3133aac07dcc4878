-- Projections: alerts that departments issued themselves, and who was held to account.

CREATE TABLE department_alert (
  origin TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  source TEXT COLLATE "C" NOT NULL,
  serial TEXT COLLATE "C" NOT NULL,
  case_id TEXT COLLATE "C" NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  level BIGINT NOT NULL,
  rule TEXT COLLATE "C" NOT NULL,
  issued_at_us BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, idx)
);

CREATE INDEX department_alert_issued ON department_alert (origin, issued_at_us);

CREATE TABLE accountability_step (
  origin TEXT COLLATE "C" NOT NULL,
  record TEXT COLLATE "C" NOT NULL,
  idx BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  who TEXT COLLATE "C" NOT NULL,
  agency TEXT COLLATE "C" NOT NULL,
  alerts TEXT COLLATE "C" NOT NULL,
  measure TEXT COLLATE "C" NOT NULL,
  document TEXT COLLATE "C" NOT NULL,
  by_whom TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  files TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (origin, record, idx)
);
