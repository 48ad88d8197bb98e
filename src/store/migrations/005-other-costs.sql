-- What is paid beside requests: training, endpoint hours, vector stores, subscriptions. Entered or imported, never in a budget.

CREATE TABLE other_costs (
  id TEXT PRIMARY KEY,
  -- First and last day, both included: start of each, epoch ms (UTC).
  first_day INTEGER NOT NULL,
  last_day INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  kind TEXT NOT NULL,
  provider TEXT NOT NULL,
  -- The whole entry as JSON, its tags in it.
  record TEXT NOT NULL
) WITHOUT ROWID, STRICT;
