-- What the journal's reader keeps. Money is an integer of nano-USD, time epoch milliseconds.

CREATE TABLE receipts (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  ending TEXT NOT NULL,
  cost INTEGER NOT NULL,
  -- The whole receipt as JSON.
  body TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE INDEX receipts_by_key ON receipts (key_id, id);

CREATE TABLE charges (
  id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  cost INTEGER NOT NULL,
  price_version TEXT NOT NULL,
  estimated TEXT,
  status INTEGER NOT NULL,
  PRIMARY KEY (id, attempt)
) WITHOUT ROWID, STRICT;

CREATE TABLE rollups (
  grain TEXT NOT NULL CHECK (grain IN ('hour', 'day')),
  at INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  requests INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  saved INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_hits INTEGER NOT NULL,
  cache_misses INTEGER NOT NULL,
  PRIMARY KEY (grain, at, key_id, provider, model)
) WITHOUT ROWID, STRICT;

CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- How far the journal is read: committed together with the rows that were read.
CREATE TABLE cursor (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  segment TEXT NOT NULL,
  offset INTEGER NOT NULL,
  -- Receipts before this moment were forgotten and are not taken again.
  kept_from INTEGER NOT NULL
) STRICT;

INSERT INTO cursor VALUES (1, '', 0, 0);
