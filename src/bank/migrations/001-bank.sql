-- Money is BIGINT nano-USD, moments are BIGINT epoch ms by this server's clock.

-- One row. Until `settles_until` nothing is given: the bank lost its memory, and hears first what everybody has.
CREATE TABLE tollgate.bank_state (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  settles_until bigint NOT NULL DEFAULT 0
);
INSERT INTO tollgate.bank_state DEFAULT VALUES;

CREATE TABLE tollgate.bank_instances (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  -- The highest of a call; one with a lower number came late.
  number bigint NOT NULL,
  seen_at bigint NOT NULL,
  -- False once the bank lost its memory: it has to say first what it has.
  entered boolean NOT NULL
) WITH (fillfactor = 50);

-- Locked in the order of ids by whoever changes a slice; never written for it.
CREATE TABLE tollgate.bank_purses (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scope text NOT NULL,
  window_id text NOT NULL,
  -- NULL for a lifetime.
  ends_at bigint,
  recalled_at bigint NOT NULL DEFAULT 0,
  UNIQUE (scope, window_id)
) WITH (fillfactor = 80);
CREATE INDEX bank_purses_ends_at ON tollgate.bank_purses (ends_at);
CREATE INDEX bank_purses_recalled_at ON tollgate.bank_purses (recalled_at) WHERE recalled_at > 0;

-- What an instance has of a purse. A row of an instance that is never heard of again stays: that is spent.
CREATE TABLE tollgate.bank_slices (
  purse bigint NOT NULL REFERENCES tollgate.bank_purses (id) ON DELETE CASCADE,
  instance integer NOT NULL REFERENCES tollgate.bank_instances (id),
  have bigint NOT NULL CHECK (have >= 0),
  posted bigint NOT NULL CHECK (posted >= 0 AND posted <= have),
  -- The newest recall that the instance had heard of when it last called.
  heard_at bigint NOT NULL,
  PRIMARY KEY (purse, instance)
) WITH (fillfactor = 50);
CREATE INDEX bank_slices_instance ON tollgate.bank_slices (instance);
