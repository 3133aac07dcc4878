-- Guard of the own journal: its entries that are for somebody below, so that the lane down finds them without reading the
-- journal, and so that each is numbered in its own append. `sender` is the journal an entry was written in first: the own one,
-- or an ancestor's, where the entry here is the receipt (`Received`); `sender_idx` is its index there, `number` its place
-- among the entries of that sender with this address.

CREATE TABLE addressed (
  idx INTEGER NOT NULL PRIMARY KEY,
  sender TEXT NOT NULL,
  node TEXT NOT NULL,
  subtree INTEGER NOT NULL,
  number INTEGER NOT NULL,
  sender_idx INTEGER NOT NULL
);

CREATE INDEX addressed_stream ON addressed (sender, node, subtree, number);
