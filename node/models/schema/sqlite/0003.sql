-- Cameras. `secret` is the camera's password, sealed under the vault's key; empty: it asks for none.

CREATE TABLE camera (
  code TEXT NOT NULL PRIMARY KEY,
  body TEXT NOT NULL,
  secret BLOB NOT NULL,
  changed_at_us INTEGER NOT NULL
);
