-- Plans of video patrols.

CREATE TABLE patrol_plan (
  code TEXT NOT NULL PRIMARY KEY,
  body TEXT NOT NULL,
  since_us INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  changed_at_us INTEGER NOT NULL
);
