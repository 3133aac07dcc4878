-- Steps of items on their way into the catalogue, a projection: listed, reviewed, published, withdrawn.

CREATE TABLE item_step (
  origin TEXT COLLATE "C" NOT NULL,
  item TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  idx BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (origin, item, idx)
);
