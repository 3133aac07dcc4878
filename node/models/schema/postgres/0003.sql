-- Cameras. `secret` is the camera's password, sealed under the vault's key; empty: it asks for none.

CREATE TABLE camera (
  code TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  body TEXT COLLATE "C" NOT NULL,
  secret BYTEA NOT NULL,
  changed_at_us BIGINT NOT NULL
);
