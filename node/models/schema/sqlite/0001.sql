-- A node's registry: what people edit. *_us: microseconds since 1970-01-01T00:00:00Z. Every key is one column.

CREATE TABLE agency (
  code TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  node TEXT NOT NULL,
  superior TEXT NOT NULL,
  line TEXT NOT NULL
);

CREATE TABLE officer (
  number TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  agency TEXT NOT NULL REFERENCES agency (code),
  posts JSON NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1))
);

CREATE INDEX officer_agency ON officer (agency, number);

CREATE TABLE source (
  code TEXT NOT NULL PRIMARY KEY,
  agency TEXT NOT NULL REFERENCES agency (code),
  contact TEXT NOT NULL,
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))
);

CREATE TABLE item_draft (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  item TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version >= 1),
  body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'withdrawn')),
  edited_by TEXT NOT NULL,
  edited_at_us INTEGER NOT NULL,
  UNIQUE (item, version)
);

CREATE INDEX item_draft_state ON item_draft (state, item, version);
