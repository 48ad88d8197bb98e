-- What every instance must hear of: numbered without gaps, kept for some minutes.

CREATE TABLE signals (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  -- The process that said it, and needs not hear it again.
  sender TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
