-- Primary, like the vault: fingerprints of texts of which there may be copies, by the bands that copies share.
CREATE TABLE copied (
  scope TEXT COLLATE "C" NOT NULL,
  band TEXT COLLATE "C" NOT NULL,
  fingerprint TEXT COLLATE "C" NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (scope, band, fingerprint)
);
CREATE INDEX copied_fingerprint ON copied (scope, fingerprint);
