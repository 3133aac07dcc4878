-- Steps of items on their way into the catalogue, a projection: listed, reviewed, published, withdrawn.

CREATE TABLE item_step (
  origin TEXT NOT NULL,
  item TEXT NOT NULL,
  version INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (origin, item, idx)
) WITHOUT ROWID;
