// One ask inside one transaction of PostgreSQL, and what it came to.

import type { Client, QueryResultRow } from 'pg';
import type { BankAnswer, BankAsk, Slice, SliceWant } from '../exchange/bank.ts';
import { flags, numbers, texts } from './columns.ts';
import { type BankRules, isKept, isOpen } from './rules.ts';
import * as statements from './statements.ts';

/** The answer, or what must happen before there can be one; then the transaction changed nothing that matters. */
export type Stage =
  | { readonly answer: BankAnswer }
  /** These have no purse yet. */
  | { readonly missing: readonly SliceWant[] }
  /** The bank has seen less of this instance than it answered: it was restored, or made anew. */
  | { readonly lost: true }
  | { readonly stranger: true }
  | { readonly late: true }
  | { readonly settling: true };

export interface Exchange {
  readonly ask: BankAsk;
  /** For each want. */
  readonly heard: readonly number[];
  /** The highest number that this process has had an answer to. */
  readonly answered: number;
  readonly rules: BankRules;
}

interface Me extends QueryResultRow {
  readonly id: number;
  readonly number: number;
  readonly entered: boolean;
  readonly now: number;
  readonly settles_until: number;
  readonly instances: number;
}

interface Granted extends QueryResultRow {
  readonly id: number;
  readonly have: number;
  readonly given: number;
  readonly others_posted: number;
  /** Only of a call that came again. */
  readonly posted?: number;
}

interface Locked {
  readonly id: number;
  readonly index: number;
  readonly want: SliceWant;
}

export async function exchangeOnce(client: Client, exchange: Exchange): Promise<Stage> {
  const { ask, answered, rules } = exchange;
  const values = [ask.instance, ask.number, rules.seenLatelyMs];
  const [me] = (await client.query<Me>({ name: 'hear', text: statements.hear, values })).rows;
  const stage = me ? admit(me, answered) : await refuse(client, answered);
  if (stage || !me) return stage ?? { stranger: true };
  if (ask.number < me.number) return { late: true };
  const again = ask.number === me.number;
  const kept = ask.wants.flatMap((want, index) => (again || isKept(want, me.now, rules) ? [{ want, index }] : []));
  if (kept.length === 0) return answerOf(exchange, me, new Map(), new Set());

  const names = [texts(kept.map(({ want }) => want.scope)), texts(kept.map(({ want }) => want.window))];
  const { rows } = await client.query({ name: 'lockPurses', text: statements.lockPurses, values: names });
  const locked = rows.flatMap((row): Locked[] => {
    const each = kept[row.place - 1];
    return each ? [{ id: row.id, ...each }] : [];
  });
  if (again) {
    const query = { text: statements.showSlices, values: [me.id, numbers(locked.map(({ id }) => id))] };
    return answerOf(exchange, me, byWant(locked, (await client.query<Granted>(query)).rows), new Set());
  }
  if (locked.length < kept.length) {
    const found = new Set(locked.map(({ index }) => index));
    return { missing: kept.filter(({ index }) => !found.has(index)).map(({ want }) => want) };
  }
  const granted = byWant(locked, await grantTo(client, exchange, me, locked));
  return answerOf(exchange, me, granted, await recall(client, exchange, me, locked, granted));
}

function admit(me: Me, answered: number): Stage | undefined {
  const settling = me.settles_until > me.now;
  if (me.number < answered && !settling) return { lost: true };
  if (!me.entered || me.number < answered) return { stranger: true };
  return settling ? { settling: true } : undefined;
}

/** Not known, though it once had an answer: its row is lost, and who knows what else. */
async function refuse(client: Client, answered: number): Promise<Stage> {
  const { rows } = await client.query({ text: statements.readClock });
  const settling = rows[0]?.settles_until > rows[0]?.now;
  return answered > 0 && !settling ? { lost: true } : { stranger: true };
}

async function grantTo(
  client: Client,
  { heard, rules }: Exchange,
  me: Me,
  locked: readonly Locked[],
): Promise<Granted[]> {
  const column = (of: (each: Locked) => number): string => numbers(locked.map(of));
  const values = [
    me.id,
    me.instances,
    column(({ id }) => id),
    column(({ want }) => want.limit),
    column(({ want }) => want.have),
    column(({ want }) => want.posted),
    column(({ want }) => want.need),
    column(({ want }) => want.wish),
    column(({ index }) => heard[index] ?? 0),
    flags(locked.map(({ want }) => isOpen(want, me.now, rules))),
  ];
  return (await client.query<Granted>({ name: 'grantSlices', text: statements.grantSlices, values })).rows;
}

/** The wants, by index, whose others have been asked to give back and have not answered yet. */
async function recall(
  client: Client,
  { rules }: Exchange,
  me: Me,
  locked: readonly Locked[],
  granted: ReadonlyMap<number, Granted>,
): Promise<Set<number>> {
  const short = locked.filter(({ want, index }) => {
    const given = (granted.get(index)?.have ?? 0) - want.have;
    return given < want.need && isOpen(want, me.now, rules);
  });
  if (short.length === 0) return new Set();
  const values = [me.id, numbers(short.map(({ id }) => id)), me.now, rules.recallAgainMs, rules.seenLatelyMs];
  const { rows } = await client.query({ name: 'recallOthers', text: statements.recallOthers, values });
  if (rows.some((row) => row.fresh)) await client.query(statements.sayRecall);
  const waiting = new Set(rows.filter((row) => row.fresh || row.unanswered).map((row) => row.id));
  return new Set(short.filter(({ id }) => waiting.has(id)).map(({ index }) => index));
}

function byWant(locked: readonly Locked[], rows: readonly Granted[]): Map<number, Granted> {
  const index = new Map(locked.map((each) => [each.id, each.index]));
  return new Map(
    rows.flatMap((row) => {
      const place = index.get(row.id);
      return place === undefined ? [] : [[place, row] as const];
    }),
  );
}

function answerOf(
  { ask }: Exchange,
  me: Me,
  granted: ReadonlyMap<number, Granted>,
  recalling: ReadonlySet<number>,
): { answer: BankAnswer } {
  const again = ask.number === me.number;
  const slices = ask.wants.map((want, index): Slice => {
    const { scope, window } = want;
    const row = granted.get(index);
    // Too old, or too far ahead: nothing is given, and nothing taken.
    if (!row) {
      const { have, posted } = again ? { have: 0, posted: 0 } : want;
      return { scope, window, have, available: 0, posted, recalling: false };
    }
    const available = Math.max(0, want.limit - row.given - row.have);
    const posted = row.others_posted + (row.posted ?? want.posted);
    return { scope, window, have: row.have, available, posted, recalling: recalling.has(index) };
  });
  return { answer: { now: me.now, instances: me.instances, slices } };
}
