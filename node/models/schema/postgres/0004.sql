-- Plans of video patrols.

CREATE TABLE patrol_plan (
  code TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  body TEXT COLLATE "C" NOT NULL,
  since_us BIGINT NOT NULL,
  changed_by TEXT COLLATE "C" NOT NULL,
  changed_at_us BIGINT NOT NULL
);
