-- Guard of the own journal: its entries that are for somebody below, so that the lane down finds them without reading the
-- journal, and so that each is numbered in its own append. `sender` is the journal an entry was written in first: the own one,
-- or an ancestor's, where the entry here is the receipt (`Received`); `sender_idx` is its index there, `number` its place
-- among the entries of that sender with this address.

CREATE TABLE addressed (
  idx BIGINT NOT NULL PRIMARY KEY,
  sender TEXT COLLATE "C" NOT NULL,
  node TEXT COLLATE "C" NOT NULL,
  subtree BIGINT NOT NULL,
  number BIGINT NOT NULL,
  sender_idx BIGINT NOT NULL
);

CREATE INDEX addressed_stream ON addressed (sender, node, subtree, number);
