-- What the control plane made: virtual keys, the units above them, budgets. Each record whole, as JSON.

CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE units (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (kind, id),
  UNIQUE (kind, name)
) WITHOUT ROWID, STRICT;

CREATE TABLE budgets (
  id TEXT PRIMARY KEY,
  scope TEXT NOT NULL,
  record TEXT NOT NULL
) WITHOUT ROWID, STRICT;
