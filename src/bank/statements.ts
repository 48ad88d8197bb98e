// The statements of the bank on PostgreSQL: a handful for each call, however many purses it names.

/** Epoch ms by the server's clock, as of the transaction's start. */
export const nowMs = 'floor(extract(epoch FROM now()) * 1000)::bigint';

/** $1 instance, $2 number, $3 seenLatelyMs. Locks the instance, so that its calls come one after another. */
export const hear = `
WITH before AS (
  SELECT id, number, entered FROM tollgate.bank_instances WHERE name = $1 FOR NO KEY UPDATE
), heard AS (
  UPDATE tollgate.bank_instances i SET number = greatest(before.number, $2::bigint), seen_at = ${nowMs}
  FROM before WHERE i.id = before.id
)
SELECT before.id, before.number, before.entered, ${nowMs} AS now,
  (SELECT settles_until FROM tollgate.bank_state) AS settles_until,
  1 + (SELECT count(*) FROM tollgate.bank_instances WHERE name <> $1 AND seen_at >= ${nowMs} - $3::bigint) AS instances
FROM before`;

/** $1 scopes, $2 windows. Everybody locks in the order of ids: two calls never wait for each other. */
export const lockPurses = `
SELECT w.place, p.id
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (scope, window_id, place)
JOIN tollgate.bank_purses p ON p.scope = w.scope AND p.window_id = w.window_id
ORDER BY p.id FOR NO KEY UPDATE OF p`;

/** $1 scopes, $2 windows, $3 ends. Outside of any other transaction, in order: nothing else is locked meanwhile. */
export const makePurses = `
INSERT INTO tollgate.bank_purses (scope, window_id, ends_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w (scope, window_id, ends_at) ORDER BY 1, 2
ON CONFLICT DO NOTHING`;

/**
 * $1 instance id, $2 instances, then one array a column of the wants. The formula is that of rules.ts; the suite that
 * all banks pass holds the two together. `given` and `others_posted` leave the asker out.
 */
export const grantSlices = `
WITH want AS (
  SELECT w.*, o.given, o.others_posted, greatest(0, w.limit_amount - o.given - w.have) AS available
  FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::boolean[])
    AS w (id, limit_amount, have, posted, need, wish, heard_at, is_open)
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.have), 0)::bigint AS given, coalesce(sum(s.posted), 0)::bigint AS others_posted
    FROM tollgate.bank_slices s WHERE s.purse = w.id AND s.instance <> $1
  ) o
), granted AS (
  SELECT id, posted, heard_at, given, others_posted, have + CASE WHEN is_open
    THEN least(available, greatest(need, least(wish, available / (2 * $2::bigint)))) ELSE 0 END AS have
  FROM want
), written AS (
  INSERT INTO tollgate.bank_slices (purse, instance, have, posted, heard_at)
  SELECT id, $1, have, posted, heard_at FROM granted
  ON CONFLICT (purse, instance) DO UPDATE SET have = excluded.have, posted = excluded.posted,
    heard_at = greatest(tollgate.bank_slices.heard_at, excluded.heard_at)
)
SELECT id, have, given, others_posted FROM granted`;

/** $1 instance id, $2 purse ids. For a call that came again: what is. */
export const showSlices = `
SELECT w.id,
  coalesce(sum(s.have) FILTER (WHERE s.instance = $1), 0)::bigint AS have,
  coalesce(sum(s.posted) FILTER (WHERE s.instance = $1), 0)::bigint AS posted,
  coalesce(sum(s.have) FILTER (WHERE s.instance <> $1), 0)::bigint AS given,
  coalesce(sum(s.posted) FILTER (WHERE s.instance <> $1), 0)::bigint AS others_posted
FROM unnest($2::bigint[]) AS w (id) LEFT JOIN tollgate.bank_slices s ON s.purse = w.id
GROUP BY w.id`;

/** $1 instance id, $2 ids of purses that were short, $3 now, $4 recallAgainMs, $5 seenLatelyMs. One row where others hold something. */
export const recallOthers = `
WITH holding AS (
  SELECT s.purse, bool_or(s.heard_at < p.recalled_at) AS unanswered
  FROM tollgate.bank_slices s
  JOIN tollgate.bank_purses p ON p.id = s.purse
  JOIN tollgate.bank_instances i ON i.id = s.instance
  WHERE s.purse = ANY ($2::bigint[]) AND s.instance <> $1 AND s.have > s.posted AND i.seen_at >= $3::bigint - $5::bigint
  GROUP BY s.purse
), recalled AS (
  UPDATE tollgate.bank_purses p SET recalled_at = $3::bigint
  FROM holding WHERE p.id = holding.purse AND p.recalled_at <= $3::bigint - $4::bigint
  RETURNING p.id
)
SELECT holding.purse AS id, holding.unanswered, recalled.id IS NOT NULL AS fresh
FROM holding LEFT JOIN recalled ON recalled.id = holding.purse`;

export const recallChannel = 'tollgate_recall';
export const sayRecall = `SELECT pg_notify('${recallChannel}', '')`;

/** $1 instance. What it was asked to give back in the last ten seconds, and has not been heard on since. */
export const readRecalls = `
SELECT p.scope, p.window_id, p.recalled_at
FROM tollgate.bank_purses p
JOIN tollgate.bank_slices s ON s.purse = p.id
JOIN tollgate.bank_instances i ON i.id = s.instance
WHERE i.name = $1 AND p.recalled_at > 0 AND p.recalled_at > ${nowMs} - 10000
  AND s.have > s.posted AND s.heard_at < p.recalled_at
LIMIT 10000`;

/** $1 instance, $2 numbersApart. */
export const enterInstance = `
INSERT INTO tollgate.bank_instances (name, number, seen_at, entered) VALUES ($1, $2, ${nowMs}, true)
ON CONFLICT (name) DO UPDATE SET number = tollgate.bank_instances.number + $2, seen_at = excluded.seen_at, entered = true
RETURNING id, number, ${nowMs} AS now`;

/** $1 instance id, $2 the ids of purses it names: with these, all that it had anything of, in order. */
export const lockForEntry = `
SELECT p.id FROM tollgate.bank_purses p
WHERE p.id = ANY ($2::bigint[]) OR p.id IN (SELECT purse FROM tollgate.bank_slices WHERE instance = $1)
ORDER BY p.id FOR NO KEY UPDATE OF p`;

/**
 * $1 instance id, $2 the ids of purses it names. What it had of windows that are over stays spent: its journal may not
 * tell of them any more.
 */
export const dropSlices = `
DELETE FROM tollgate.bank_slices s USING tollgate.bank_purses p
WHERE s.instance = $1 AND p.id = s.purse AND (p.ends_at IS NULL OR p.ends_at > ${nowMs} OR p.id = ANY ($2::bigint[]))`;

/** $1 instance id, $2 purse ids, $3 have, $4 posted. */
export const putSlices = `
INSERT INTO tollgate.bank_slices (purse, instance, have, posted, heard_at)
SELECT w.id, $1, w.have, w.posted, 0 FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS w (id, have, posted)`;

/** $1 settlesMs. The bank's memory was lost: everybody says first what he has. */
export const loseMemory = `
WITH everybody AS (
  SELECT id FROM tollgate.bank_instances ORDER BY id FOR NO KEY UPDATE
), strangers AS (
  UPDATE tollgate.bank_instances i SET entered = false FROM everybody WHERE i.id = everybody.id
)
UPDATE tollgate.bank_state SET settles_until = greatest(settles_until, ${nowMs} + $1::bigint)`;

/** Of one who is not known. */
export const readClock = `SELECT ${nowMs} AS now, settles_until FROM tollgate.bank_state`;

/** $1 scopes, $2 windows. */
export const findPurses = `
SELECT w.place, p.id
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (scope, window_id, place)
JOIN tollgate.bank_purses p ON p.scope = w.scope AND p.window_id = w.window_id`;

/** $1 forgetMs. Some at a time: it never holds anybody up. */
export const forgetPurses = `
DELETE FROM tollgate.bank_purses WHERE id IN (
  SELECT id FROM tollgate.bank_purses WHERE ends_at < ${nowMs} - $1::bigint ORDER BY id LIMIT 1000
  FOR UPDATE SKIP LOCKED
)`;
