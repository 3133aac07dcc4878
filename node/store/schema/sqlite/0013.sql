-- Projections: alerts that departments issued themselves, and who was held to account.

CREATE TABLE department_alert (
  origin TEXT NOT NULL,
  idx INTEGER NOT NULL,
  source TEXT NOT NULL,
  serial TEXT NOT NULL,
  case_id TEXT NOT NULL,
  agency TEXT NOT NULL,
  level INTEGER NOT NULL,
  rule TEXT NOT NULL,
  issued_at_us INTEGER NOT NULL,
  state TEXT NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY (origin, idx)
) WITHOUT ROWID;

CREATE INDEX department_alert_issued ON department_alert (origin, issued_at_us);

CREATE TABLE accountability_step (
  origin TEXT NOT NULL,
  record TEXT NOT NULL,
  idx INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  kind TEXT NOT NULL,
  who TEXT NOT NULL,
  agency TEXT NOT NULL,
  alerts TEXT NOT NULL,
  measure TEXT NOT NULL,
  document TEXT NOT NULL,
  by_whom TEXT NOT NULL,
  reason TEXT NOT NULL,
  text TEXT NOT NULL,
  files TEXT NOT NULL,
  PRIMARY KEY (origin, record, idx)
) WITHOUT ROWID;
