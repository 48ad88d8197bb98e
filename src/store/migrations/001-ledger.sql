-- What the journal's reader keeps. Money is an integer of nano-USD, time epoch milliseconds.

CREATE TABLE receipts (
  -- UUIDv7: in order of time.
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  ending TEXT NOT NULL,
  -- The whole receipt as JSON, its charges in it.
  body TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE INDEX receipts_by_key ON receipts (key_id, id);

-- The few that an operator looks for; the many that completed cost it nothing.
CREATE INDEX receipts_by_ending ON receipts (ending, id) WHERE ending <> 'completed';

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

-- What a later look at the bill changed. Summed into the rollups of its day.
CREATE TABLE corrections (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  -- Start of the day it belongs to.
  day INTEGER NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  amount INTEGER NOT NULL,
  -- The whole row as JSON.
  body TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- How far each instance has read its own journal: committed together with the rows that were read.
CREATE TABLE cursors (
  instance TEXT PRIMARY KEY,
  segment TEXT NOT NULL,
  bytes INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

-- Receipts before this moment were forgotten and are not taken again.
CREATE TABLE horizon (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  kept_from INTEGER NOT NULL
) STRICT;

INSERT INTO horizon VALUES (1, 0);
