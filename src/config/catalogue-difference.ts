// What a new catalogue would change against the one in force, by the names that requests use, and what of it wants a word
// of the operator first. By name rather than by row: a row that is put in front takes over names without touching theirs.

import type { Rate } from '../exchange/rate.ts';
import type { Bucket } from '../exchange/usage.ts';
import type { FeedCatalogue } from './catalogue.ts';
import { type DatedRate, rateAt } from './catalogue-row.ts';
import { entriesOf, type Feed, type FeedProvider, type Match } from './feed.ts';

/** A price of a model that would be another one. Pico-USD a token or piece; undefined is no price. */
export interface PriceChange {
  /** `openai/gpt-4o`. */
  readonly name: string;
  /** A bucket, `fee:NAME` or `request`; above which input tokens where not from the first. */
  readonly price: Bucket | string;
  readonly above: number;
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** When it begins to hold, epoch ms; at once where unset. */
  readonly starts?: number;
}

export interface Difference {
  readonly models: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly PriceChange[];
  /** Names with a price that jumps five-fold either way, appears where 0 stood, or is gone: each wants confirmation. */
  readonly jumps: readonly string[];
  /** Providers that are gone or lost more than a tenth of their models, and models in use that are gone: the same. */
  readonly missing: readonly string[];
}

export interface Compared {
  readonly feed: Feed;
  readonly catalogue: FeedCatalogue;
}

const jumpFactor = 5;
/** A provider may lose this share of its models without a question. */
const lossShare = 0.1;
/** Models compared in one turn of the event loop: about 2 ms, in a process that serves. */
const modelsATurn = 25;

/**
 * `inUse`: names of the configuration that the catalogue prices, `openai/gpt-4o` by catalogue id. `pause` gives the event
 * loop away.
 */
export async function difference(
  before: Compared,
  after: Compared,
  inUse: readonly string[],
  at: number,
  pause: () => Promise<unknown>,
): Promise<Difference> {
  const [added, removed, changed]: [string[], string[], PriceChange[]] = [[], [], []];
  const gone = new Set<string>();
  let compared = 0;
  const [had, has] = [modelIds(before.feed), modelIds(after.feed)];
  const same = unchanged(before.feed, after.feed);
  for (const name of new Set([...namesOf(before.feed), ...namesOf(after.feed), ...inUse])) {
    if (same.has(name.slice(0, name.indexOf('/')))) continue;
    if (++compared % modelsATurn === 0) await pause();
    const slash = name.indexOf('/');
    const [provider, model] = [name.slice(0, slash), name.slice(slash + 1)];
    const old = before.catalogue.rows(provider, model);
    const next = after.catalogue.rows(provider, model);
    if (!priced(old, at) && priced(next, at)) {
      if (!had.has(name)) added.push(name);
    } else if (priced(old, at) && !priced(next, at)) {
      if (had.has(name) || inUse.includes(name)) removed.push(name);
      if (inUse.includes(name)) gone.add(name);
    }
    // Told by the row that priced it before: the many names of one row change together.
    if (old && next) changed.push(...changes(`${provider}/${before.catalogue.rowOf(provider, model)}`, old, next, at));
  }
  for (const provider of lost(before.feed, after.feed, has)) gone.add(provider);
  const once = [...new Map(changed.map((each) => [JSON.stringify(each), each])).values()];
  const jumps = new Set(once.filter(jumped).map((each) => each.name));
  return { models: has.size, added, removed, changed: once, jumps: [...jumps], missing: [...gone] };
}

/** Providers whose own rows and those they resell are the same in both: most of them, at most updates. */
function unchanged(before: Feed, after: Feed): Set<string> {
  const texts = new Map(before.map((row) => [row.id, textOf(row)]));
  const same = new Set(after.filter((row) => texts.get(row.id) === textOf(row)).map((row) => row.id));
  const resold = after.filter((row) => row.fallback_model_providers?.some((id) => !same.has(id)));
  for (const { id } of resold) same.delete(id);
  return same;
}

/** What prices depend on; descriptions and the like change more often. */
function textOf({ models, fallback_model_providers: resold }: FeedProvider): string {
  const rows = models.map((model) => [
    model.id,
    model.match,
    entriesOf(model).map(({ constraint, prices }) => [
      constraint?.start_date,
      constraint?.start_time,
      constraint?.end_time,
      prices,
    ]),
  ]);
  return JSON.stringify([rows, resold]);
}

function modelIds(feed: Feed): Set<string> {
  return new Set(feed.flatMap(({ id, models }) => models.map((model) => `${id}/${model.id}`)));
}

/** Model ids, and every whole name that a row matches. */
function namesOf(feed: Feed): Set<string> {
  return new Set(
    feed.flatMap(({ id, models }) =>
      models.flatMap((model) => [model.id, ...wholeNames(model.match)].map((name) => `${id}/${name}`)),
    ),
  );
}

function wholeNames(match: Match): string[] {
  if ('equals' in match) return [match.equals];
  // The shortest name that starts so stands for all of them.
  if ('starts_with' in match) return [match.starts_with];
  if ('or' in match) return match.or.flatMap(wholeNames);
  return [];
}

function priced(rows: readonly DatedRate[] | undefined, at: number): boolean {
  const rate = rows && rateAt(rows, at);
  return rate !== undefined && Object.keys(rate.tiers[0].prices).length > 0;
}

/** What holds now, and what will: a start date ahead is compared with today's price, hours with the same hours. */
function changes(name: string, old: readonly DatedRate[], next: readonly DatedRate[], at: number): PriceChange[] {
  const now = compare(name, rateAt(old, at), rateAt(next, at));
  const ahead = next.flatMap((row) => {
    if (row.from !== undefined && row.from > at) {
      const same = old.find((each) => each.from === row.from)?.rate ?? rateAt(old, at);
      return compare(name, same, row.rate, row.from);
    }
    if (!row.hours) return [];
    const same = old.find((each) => each.hours?.start === row.hours?.start)?.rate ?? rateAt(old, at);
    return compare(name, same, row.rate);
  });
  return [...now, ...ahead];
}

function compare(name: string, old: Rate | undefined, next: Rate | undefined, starts?: number): PriceChange[] {
  const [left, right] = [pricesOf(old), pricesOf(next)];
  const found: PriceChange[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [from, to] = [left.get(key), right.get(key)];
    if (from === to) continue;
    const [price = '', above = '0'] = key.split('\n');
    found.push({ name, price, above: Number(above), from, to, ...(starts === undefined ? {} : { starts }) });
  }
  return found;
}

function pricesOf(rate: Rate | undefined): Map<string, number> {
  const prices = new Map<string, number>();
  for (const tier of rate?.tiers ?? [])
    for (const [bucket, pico] of Object.entries(tier.prices)) prices.set(`${bucket}\n${tier.above}`, pico);
  for (const [name, pico] of Object.entries(rate?.fees ?? {})) prices.set(`fee:${name}\n0`, pico);
  if (rate?.perRequest !== undefined) prices.set('request\n0', rate.perRequest);
  return prices;
}

/** A price that becomes 0 is none in a feed, so that it shows as gone. A tier that comes or goes alone does not jump. */
function jumped({ from, to, above }: PriceChange): boolean {
  if (from === undefined) return false;
  if (to === undefined) return above === 0;
  return Math.max(from, to) >= jumpFactor * Math.min(from, to);
}

function lost(before: Feed, after: Feed, has: ReadonlySet<string>): string[] {
  const still = new Set(after.map((row) => row.id));
  return before
    .filter(({ id, models }) => {
      if (!still.has(id)) return true;
      const gone = models.filter((model) => !has.has(`${id}/${model.id}`)).length;
      return gone > Math.max(1, models.length * lossShare);
    })
    .map((row) => row.id);
}
