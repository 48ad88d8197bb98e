// Proves the books of a gateway from its journal alone: against its accounts, its reports and its prices.

import type { PriceRule } from '../../exchange/policy.ts';
import type { Prices } from '../../exchange/rate.ts';
import type { Charge, JournalRow, Receipt } from '../../exchange/receipt.ts';
import { createBooks, isOver, mayBeForgotten, placeOf, shown } from './books.ts';
import { createDifferences, type Difference, type Differences, type Promised, promises } from './differences.ts';
import { type Place, readJournal } from './read.ts';
import { type Costs, createTotals, type Totals } from './totals.ts';

/** The answer of `/admin/ledger`. */
export interface Standing extends Place {
  readonly at: number;
  readonly failing: boolean;
  readonly shared: boolean;
  readonly accounts: readonly { scope: string; window: string; posted: number; held: number }[];
  readonly budgets: readonly {
    scope: string;
    per: string;
    limit: number;
    available: number;
    held: number;
    posted: number;
  }[];
}

export interface Questions {
  standing(): Promise<Standing>;
  /** Reports from an epoch ms on; undefined from the beginning. */
  costs(from: number | undefined): Promise<Costs>;
}

export interface Pricing {
  readonly prices: Pick<Prices, 'rate' | 'cost'>;
  readonly rules: readonly PriceRule[];
  /** Under which name the catalogue has a configured provider. */
  catalogueOf(provider: string): string;
}

export interface Verified {
  readonly ok: boolean;
  readonly segments: number;
  readonly rows: number;
  readonly receipts: number;
  readonly corrections: number;
  readonly cost: number;
  readonly accounts: number;
  readonly open: number;
  /** Charges priced again, and those whose price version is not at hand any more. */
  readonly priced: number;
  readonly unpriced: number;
  /** Set where files were removed: reports are compared from here on, epoch ms. */
  readonly comparedFrom?: number;
  readonly notCompared: readonly Promised[];
  readonly promises: readonly { readonly promise: Promised; readonly text: string; readonly differences: number }[];
  readonly differences: readonly Difference[];
}

const dayMs = 86_400_000;

/** `ask` undefined: the rows alone, as in a backup. Throws what the file system or the gateway says. */
export async function verify(folder: string, ask: Questions | undefined, pricing: Pricing): Promise<Verified> {
  const differences = createDifferences();
  const from = comparedFrom(folder);
  const totals = createTotals(from ?? 0);
  const prices = createPricer(pricing, differences);
  const books = createBooks(differences, {
    receipt(receipt) {
      totals.receipt(receipt);
      prices.check(receipt);
    },
    correction: totals.correction,
  });

  const first = await ask?.standing();
  const reports = first && !first.shared ? await ask?.costs(from) : undefined;
  const second = await ask?.standing();
  const matched = reports ? createMatch(reports, totals) : undefined;
  let rows = 0;
  let met = false;
  const found = readJournal(folder, second, (row: JournalRow, at: Place) => {
    rows += 1;
    books.add(row);
    if (first && samePlace(at, first)) {
      met = true;
      checkAccounts(first, books, differences);
    }
    if (first && !isBefore(at, first)) matched?.look();
  });
  if (first && !met)
    differences.tell('journal', `no row ends at ${first.offset} of ${first.segment}, where the gateway is`);
  if (found.damagedBytes > 0) differences.tell('journal', `${found.damagedBytes} bytes are damaged`);
  if (second && !(first && samePlace(first, second))) checkAccounts(second, books, differences);
  if (matched) for (const what of matched.differences()) differences.tell('store', what);
  for (const standing of [first, second]) if (standing) checkBudgets(standing, differences);

  return {
    ok: differences.total === 0,
    segments: found.segments.length,
    rows,
    receipts: books.receipts,
    corrections: books.corrections,
    cost: books.cost,
    accounts: second?.accounts.length ?? 0,
    open: books.open,
    priced: prices.priced,
    unpriced: prices.unpriced,
    ...(from === undefined ? {} : { comparedFrom: from }),
    notCompared: [...(ask ? [] : (['accounts', 'budgets', 'rest'] as const)), ...(reports ? [] : (['store'] as const))],
    promises: Object.entries(promises).map(([promise, text]) => {
      return { promise: promise as Promised, text, differences: differences.count(promise as Promised) };
    }),
    differences: differences.told,
  };
}

/** Where earlier files are gone: the first midnight (UTC) from which every receipt is in those that are left. */
function comparedFrom(folder: string): number | undefined {
  let begins: number | undefined;
  let first = true;
  const stop = new Error('read');
  try {
    readJournal(folder, undefined, (row) => {
      if (first && row.type === 'balances' && (row.accounts.length > 0 || row.open.length > 0)) begins = row.at;
      first = false;
      throw stop;
    });
  } catch (error) {
    if (error !== stop) throw error;
  }
  return begins === undefined ? undefined : Math.ceil(begins / dayMs) * dayMs;
}

function samePlace(one: Place, other: Place): boolean {
  return one.segment === other.segment && one.offset === other.offset;
}

function isBefore(one: Place, other: Place): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset);
}

function checkAccounts(standing: Standing, books: ReturnType<typeof createBooks>, differences: Differences): void {
  if (standing.failing) differences.tell('accounts', 'a settlement waits for the disk: the gateway admits nobody');
  const held = books.held();
  const posted = new Map(books.posted);
  for (const account of standing.accounts) {
    const place = placeOf(account);
    const rows = { posted: posted.get(place) ?? 0, held: held.get(place) ?? 0 };
    posted.delete(place);
    held.delete(place);
    if (rows.posted !== account.posted)
      differences.tell('accounts', `${shown(place)}: posted ${account.posted}, the rows say ${rows.posted}`);
    if (rows.held !== account.held)
      differences.tell('accounts', `${shown(place)}: holds ${account.held}, the rows say ${rows.held}`);
    if (account.held !== 0 && books.open === 0)
      differences.tell('rest', `${shown(place)}: holds ${account.held}, and nothing is under way`);
  }
  for (const [place, amount] of posted)
    if (amount !== 0 && !isOver(place, standing.at) && !mayBeForgotten(place))
      differences.tell('accounts', `${shown(place)}: the gateway does not know the ${amount} that the rows say`);
}

function checkBudgets({ budgets, accounts, shared }: Standing, differences: Differences): void {
  for (const { scope, per, limit, available, held, posted } of budgets) {
    if (limit !== available + held + posted)
      differences.tell('budgets', `${scope} per ${per}: ${limit} is not ${available} + ${held} + ${posted}`);
    // Of several instances: theirs is in the budget, and not in this journal.
    if (shared) continue;
    const of = accounts.filter((each) => each.scope === scope && each.window.split('/')[0] === per);
    const known =
      of.length === 0 ? posted === 0 && held === 0 : of.some((each) => each.posted === posted && each.held === held);
    if (!known) differences.tell('budgets', `${scope} per ${per}: ${posted} posted and ${held} held are no account's`);
  }
}

/** Live, the reports were asked somewhere between the two positions: at one of the rows there they must be exact. */
function createMatch(costs: Costs, totals: Totals) {
  let closest: string[] | undefined;
  let exact = false;
  return {
    look(): void {
      if (exact || totals.requests > costs.total_requests) return;
      if (closest && totals.requests !== costs.total_requests) return;
      const differences = totals.against(costs);
      exact = differences.length === 0;
      closest = differences;
    },
    differences: (): string[] => (exact ? [] : (closest ?? totals.against(costs))),
  };
}

function createPricer({ prices, rules, catalogueOf }: Pricing, differences: Differences) {
  let priced = 0;
  let unpriced = 0;
  const check = (id: string, at: number, charge: Charge): void => {
    const { attempt, provider, model, pricedAs = model, priceVersion, usage, cost } = charge;
    if (charge.estimated === 'held-amount') return;
    const target = { provider: { name: provider, catalogue: catalogueOf(provider) }, model: pricedAs };
    const rate = prices.rate(target, rules, at);
    if (rate?.version !== priceVersion) {
      unpriced += 1;
      return;
    }
    priced += 1;
    const right = prices.cost(usage, rate).cost;
    if (right === cost) return;
    // What the configuration says today is not always what it said then.
    if (priceVersion.endsWith('config')) unpriced += 1;
    else
      differences.tell(
        'prices',
        `${id} attempt ${attempt}: ${cost} for ${provider}/${pricedAs}, ${priceVersion} says ${right}`,
      );
  };
  return {
    check({ id, at, charges }: Receipt): void {
      for (const charge of charges) check(id, at, charge);
    },
    get priced() {
      return priced;
    },
    get unpriced() {
      return unpriced;
    },
  };
}
