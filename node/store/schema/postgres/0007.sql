-- Directives: a projection of the own journal.

CREATE TABLE directive (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  ended BIGINT NOT NULL
);

CREATE TABLE directive_step (
  directive TEXT COLLATE "C" NOT NULL,
  kind BIGINT NOT NULL,
  node TEXT COLLATE "C" NOT NULL,
  handler TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (directive, kind, node, handler, number)
);

CREATE INDEX directive_open ON directive (ended, id);
