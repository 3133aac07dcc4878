-- Primary, like the vault: fingerprints of texts of which there may be copies, by the bands that copies share.
CREATE TABLE copied (
  scope TEXT NOT NULL,
  band TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (scope, band, fingerprint)
) WITHOUT ROWID;
CREATE INDEX copied_fingerprint ON copied (scope, fingerprint);
