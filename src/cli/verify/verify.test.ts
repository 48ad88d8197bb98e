import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { atOnce, caller, manualClock, quiet, receipt, rule, still, target } from '../../../test/ledger.ts';
import { createBudget } from '../../budget/budget.ts';
import { openJournal } from '../../budget/journal.ts';
import { loadCatalogue } from '../../config/catalogue.ts';
import { encodeRow, scanRows } from '../../exchange/journal.ts';
import type { CorrectionRow, JournalRow, Receipt, ReceiptRow } from '../../exchange/receipt.ts';
import { noUsage } from '../../exchange/usage.ts';
import { createPrices } from '../../price/price.ts';
import { openSegments } from '../../world/real/segments.ts';
import type { Promised } from './differences.ts';
import type { Costs } from './totals.ts';
import { type Pricing, type Standing, verify } from './verify.ts';

const noon = Date.parse('2026-03-05T12:00:00Z');
const budgets = [rule('global', 1e12), rule('key:*', 1e12, 'month'), rule('provider:*', 1e12, 'lifetime')];
const prices = createPrices(loadCatalogue());
const pricing: Pricing = { prices, rules: [], catalogueOf: (provider) => provider };

/** A charge as the gateway makes it. */
function priced(id: string, provider: string, model: string, output: number, at: number): Partial<Receipt> {
  const rate = prices.rate({ provider: { name: provider, catalogue: provider }, model }, [], at);
  assert.ok(rate, `${provider}/${model} has a price`);
  const usage = { ...noUsage(), input: 100, output };
  const { cost } = prices.cost(usage, rate);
  const charges = [{ attempt: 1, provider, model, usage, cost, priceVersion: rate.version, status: 200 }];
  return { id, at, provider, model, charges, cost };
}

interface Scene {
  readonly folder: string;
  readonly standing: Standing;
  readonly costs: Costs;
  rows: { name: string; rows: JournalRow[] }[];
  /** A byte of the first file to change. */
  damageAt?: number;
}

/** A journal of several files with every type of row, one hold open, and what a gateway would answer of it. */
function scene(context: TestContext): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-verify-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const clock = manualClock(noon);
  const journal = openJournal(openSegments(folder), clock, { segmentBytes: 6000 });
  const budget = createBudget({ clock, log: quiet }, journal, { live: still(budgets) });
  const take = (id: string, amount = 5_000_000) => {
    const of = { caller: caller('k1'), target: target('openai', 'gpt-4o'), budgets, extra: [] };
    const hold = atOnce(budget.hold({ id, amount, minimum: 1, ...of }));
    clock.turn();
    return hold;
  };
  let long = take('e0');
  for (let index = 0; index < 12; index++) {
    const hold = index === 0 ? long : take(`e${index}`);
    if (index === 1) long = take('long');
    if (index % 3 === 0) assert.equal(atOnce(budget.topUp(hold, 1_000)), true);
    if (index % 4 === 0) assert.equal(atOnce(budget.move(hold, target('anthropic', 'claude-sonnet-4-5'), 6e6)), true);
    const [provider, model] = index % 4 === 0 ? ['anthropic', 'claude-sonnet-4-5'] : ['openai', 'gpt-4o'];
    const made = priced(`e${index}`, provider ?? '', model ?? '', index, noon + index);
    budget.close(hold, { ...receipt(`e${index}`, 0), ...made });
    clock.pass(1000);
  }
  budget.close(long, { ...receipt('long', 0), ...priced('long', 'openai', 'gpt-4o', 9, noon) });
  const row: CorrectionRow = {
    ...{ type: 'correction', id: 'c', at: noon, day: '2026-03-05', provider: 'openai', model: 'gpt-4o' },
    ...{ amount: -70, reason: 'a bill', accounts: [{ scope: 'global', window: 'day/UTC/2026-03-05T00:00Z' }] },
  };
  budget.correct(row);
  budget.close(undefined, receipt('refused', 0, { at: noon, charges: [] }));
  take('open', 1234);
  const { at, position, failing, accounts } = budget.standing();
  const shown = budget.balances(budgets).map(({ scope, per, limit, available, held, posted }) => {
    return { scope, per, limit, available, held, posted };
  });
  const rows = journalOf(folder);
  assert.ok(rows.length > 2);
  return {
    folder,
    standing: { at, ...position, failing, shared: false, accounts, budgets: shown },
    costs: costsOf(rows.flatMap((each) => each.rows)),
    rows,
  };
}

function journalOf(folder: string): Scene['rows'] {
  return openSegments(folder)
    .list()
    .map((name) => {
      const rows: JournalRow[] = [];
      scanRows(readFileSync(join(folder, name)), 0, (row) => rows.push(row));
      return { name, rows };
    });
}

/** The reports of a store that has read these rows, written down by hand rather than by the code under test. */
function costsOf(rows: readonly JournalRow[]): Costs {
  const receipts = rows.flatMap((row) => (row.type === 'receipt' ? [row.receipt] : []));
  const sum = (some: readonly Receipt[]) => some.reduce((all, { cost }) => all + cost, 0);
  const line = (some: readonly Receipt[], more = 0) => ({ requests: some.length, cost_nano_usd: sum(some) + more });
  const of = (provider: string) => receipts.filter((each) => each.provider === provider);
  return {
    total_requests: receipts.length,
    total_cost_nano_usd: sum(receipts) - 70,
    by_model: [
      { provider: 'openai', model: 'gpt-4o', ...line(of('openai'), -70) },
      { provider: 'anthropic', model: 'claude-sonnet-4-5', ...line(of('anthropic')) },
      { provider: 'sim', model: 'small', ...line(of('sim')) },
    ],
    by_key: [
      { key_id: 'k1', ...line(receipts) },
      { key_id: '', requests: 0, cost_nano_usd: -70 },
    ],
    by_day: [{ day: '2026-03-05', ...line(receipts, -70) }],
  };
}

/** Writes the rows over the journal and asks for a verdict; the position moves with the last file. */
async function judge(
  { folder, rows, standing, costs, damageAt }: Scene,
  more: { standing?: Standing; costs?: Costs } = {},
) {
  let offset = 0;
  for (const file of rows) {
    const bytes = Buffer.concat(file.rows.map(encodeRow));
    if (damageAt !== undefined && file === rows[0]) bytes[damageAt] = (bytes[damageAt] ?? 0) ^ 1;
    writeFileSync(join(folder, file.name), bytes);
    offset = bytes.length;
  }
  const at = { segment: rows.at(-1)?.name ?? '', offset };
  const questions = {
    standing: async () => ({ ...(more.standing ?? standing), ...at }),
    costs: async () => more.costs ?? costs,
  };
  return verify(folder, questions, pricing);
}

async function broken(made: Scene, more: { standing?: Standing; costs?: Costs } = {}): Promise<Promised[]> {
  const found = await judge(made, more);
  assert.equal(found.ok, false);
  return found.promises.flatMap(({ promise, differences }) => (differences > 0 ? [promise] : []));
}

function editReceipt(made: Scene, id: string, edit: (row: ReceiptRow) => JournalRow | JournalRow[]): void {
  for (const file of made.rows)
    file.rows = file.rows.flatMap((row) => (row.type === 'receipt' && row.receipt.id === id ? edit(row) : [row]));
}

test('books that are right are OK, with a hold open, a correction, and several files', async (context) => {
  const made = scene(context);
  const found = await judge(made);
  assert.deepEqual(found.differences, []);
  assert.deepEqual([found.ok, found.receipts, found.corrections, found.open], [true, 14, 1, 1]);
  assert.equal(found.priced, 13);
  assert.ok(found.rows > 30 && found.segments > 2);
});

test('the rows alone, as in a backup', async (context) => {
  const { folder } = scene(context);
  const found = await verify(folder, undefined, pricing);
  assert.deepEqual([found.ok, found.notCompared], [true, ['accounts', 'budgets', 'rest', 'store']]);
});

test('where older files are gone, what they held is taken from the head, and reports are compared from the next day on', async (context) => {
  const made = scene(context);
  unlinkSync(join(made.folder, made.rows[0]?.name ?? ''));
  made.rows = made.rows.slice(1);
  const none = { total_requests: 0, total_cost_nano_usd: 0, by_model: [], by_key: [], by_day: [] };
  const found = await judge(made, { costs: none });
  assert.deepEqual(found.differences, []);
  assert.equal(found.comparedFrom, Date.parse('2026-03-06T00:00:00Z'));
});

const mutations: readonly [string, Promised[], (made: Scene) => { standing?: Standing; costs?: Costs } | undefined][] =
  [
    [
      'a byte of the journal changes',
      ['journal', 'holds'],
      (made) => {
        const [head, hold] = made.rows[0]?.rows ?? [];
        assert.deepEqual([head?.type, hold?.type], ['balances', 'hold']);
        // Its receipt names its accounts, so that of the hold only its own row is missed.
        made.damageAt = encodeRow(head as JournalRow).length + 30;
        return undefined;
      },
    ],
    [
      'a hold is written twice',
      ['holds'],
      (made) => {
        const [first] = made.rows;
        const hold = first?.rows.find((row) => row.type === 'hold');
        if (hold) first?.rows.push(hold);
        return undefined;
      },
    ],
    [
      'a receipt is posted twice',
      ['receipts'],
      (made) => {
        editReceipt(made, 'e5', (row) => [row, row]);
        return undefined;
      },
    ],
    [
      'an attempt is charged twice',
      ['charges'],
      (made) => {
        editReceipt(made, 'e5', (row) => {
          const { charges } = row.receipt;
          const again = charges.map((charge) => ({ ...charge, estimated: 'held-amount' as const, cost: 0 }));
          return { ...row, receipt: { ...row.receipt, charges: [...charges, ...again] } };
        });
        return undefined;
      },
    ],
    [
      'a head forgets an account',
      ['heads'],
      (made) => {
        const head = made.rows[1]?.rows[0];
        assert.equal(head?.type, 'balances');
        made.rows[1]?.rows.splice(0, 1, { ...head, accounts: head.accounts.slice(1) });
        return undefined;
      },
    ],
    [
      'a head forgets a hold that is open',
      ['heads'],
      (made) => {
        const index = made.rows.findIndex(({ rows: [head] }) => head?.type === 'balances' && head.open.length > 0);
        const head = made.rows[index]?.rows[0];
        assert.equal(head?.type, 'balances');
        made.rows[index]?.rows.splice(0, 1, { ...head, open: [] });
        return undefined;
      },
    ],
    [
      'the gateway has posted a nano-dollar less',
      ['accounts', 'budgets'],
      ({ standing }) => {
        const accounts = standing.accounts.map((each) => ({
          ...each,
          posted: each.posted - (each.scope === 'global' ? 1 : 0),
        }));
        return { standing: { ...standing, accounts } };
      },
    ],
    [
      'the gateway does not know an account',
      ['accounts', 'budgets'],
      ({ standing }) => ({ standing: { ...standing, accounts: standing.accounts.slice(1) } }),
    ],
    ['a settlement waits for the disk', ['accounts'], ({ standing }) => ({ standing: { ...standing, failing: true } })],
    [
      'a budget does not add up',
      ['budgets'],
      ({ standing }) => {
        const shown = standing.budgets.map((each) => ({ ...each, available: each.available + 1 }));
        return { standing: { ...standing, budgets: shown } };
      },
    ],
    [
      'money is held for nobody',
      ['accounts', 'rest'],
      (made) => {
        const last = made.rows.at(-1);
        last?.rows.pop();
        return undefined;
      },
    ],
    [
      'the reports miss a request',
      ['store'],
      ({ costs }) => ({ costs: { ...costs, total_requests: costs.total_requests - 1 } }),
    ],
    [
      'the reports charge another key',
      ['store'],
      ({ costs }) => ({
        costs: { ...costs, by_key: costs.by_key.map((line) => ({ ...line, key_id: `${line.key_id}x` })) },
      }),
    ],
    [
      'a charge costs what its price version does not say',
      ['prices'],
      (made) => {
        editReceipt(made, 'e5', (row) => {
          const charges = row.receipt.charges.map((charge) => ({ ...charge, usage: { ...charge.usage, output: 999 } }));
          return { ...row, receipt: { ...row.receipt, charges } };
        });
        return undefined;
      },
    ],
  ];

for (const [what, promised, mutate] of mutations) {
  test(`told: ${what}`, async (context) => {
    const made = scene(context);
    assert.deepEqual(await broken(made, mutate(made)), promised);
  });
}
