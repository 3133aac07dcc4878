-- Directives: a projection of the own journal.

CREATE TABLE directive (
  id TEXT NOT NULL PRIMARY KEY,
  ended INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE directive_step (
  directive TEXT NOT NULL,
  kind INTEGER NOT NULL,
  node TEXT NOT NULL,
  handler TEXT NOT NULL,
  number INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (directive, kind, node, handler, number)
) WITHOUT ROWID;

CREATE INDEX directive_open ON directive (ended, id);
