// Kills a gateway with SIGKILL at random moments under load, starts it again on the same data folder, and holds its
// books against what the clients saw. `node test/lasting/kill.ts --times 1000 --seed 7` is the long run.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Receipt } from '../../src/exchange/receipt.ts';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { type Load, startLoad } from './load.ts';
import { admin, type JournalReader, readJournal } from './tools.ts';
import { configFor, startUpstream, type Upstream } from './upstream.ts';

export interface KillOptions {
  readonly times: number;
  readonly seed: number;
  readonly clients: number;
  readonly report?: (line: string) => void;
}

export interface KillResult {
  readonly kills: number;
  /** Exchanges whose end a client saw. */
  readonly seen: number;
  readonly receipts: number;
  readonly crashed: number;
  /** Kills that left at least one hold open. */
  readonly midway: number;
  /** From the start of the process, runtime and all, to the address it serves on: the slowest start after a kill. */
  readonly recoveryMsMax: number;
}

/** Everything that the journal has said so far, over all lives of the gateway. */
interface Books {
  readonly journal: JournalReader;
  readonly open: Map<string, number>;
  readonly receipts: Map<string, Receipt>;
  cost: number;
}

/** Long enough for the slowest exchanges to end now and then: a long stream takes 400 ms. */
const loadMsMost = 500;

/** Throws an assertion error at the first book that is wrong. */
export async function killMany({ times, seed, clients, report }: KillOptions): Promise<KillResult> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-kill-'));
  const dataFolder = join(folder, 'data');
  const upstream = await startUpstream({ name: 'up' });
  const chance = random(seed);
  const result = { kills: 0, seen: 0, receipts: 0, crashed: 0, midway: 0, recoveryMsMax: 0 };
  let gateway = await startOn(upstream, dataFolder);
  const books: Books = { journal: readJournal(dataFolder), open: new Map(), receipts: new Map(), cost: 0 };
  try {
    for (; result.kills < times; result.kills++) {
      const load = startLoad(gateway, clients, chance);
      await new Promise((resolve) => setTimeout(resolve, 5 + chance() * loadMsMost));
      await gateway.kill('SIGKILL');
      await load.over;
      await gateway.close();
      const abandoned = checkDead(books, load);
      const killedAt = performance.now();
      gateway = await startOn(upstream, dataFolder);
      result.recoveryMsMax = Math.max(result.recoveryMsMax, performance.now() - killedAt);
      checkBorn(books, abandoned);
      await checkStore(gateway, books, load);
      result.seen += load.ends.length;
      result.crashed += abandoned.size;
      if (abandoned.size > 0) result.midway++;
      if ((result.kills + 1) % 50 === 0) report?.(JSON.stringify({ ...result, receipts: books.receipts.size }));
    }
    return { ...result, receipts: books.receipts.size };
  } finally {
    await gateway.close();
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startOn(upstream: Upstream, dataFolder: string): Promise<GatewayProcess> {
  const config = configFor(upstream, { budgets: [{ scope: 'global', limit: '1000000 USD', per: 'lifetime' }] });
  // A thousand starts: compiled once.
  const environment = {
    NODE_COMPILE_CACHE: join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'tollgate'),
  };
  return startGateway({ config, dataFolder, environment });
}

function readOn(books: Books): void {
  const damagedBytes = books.journal.next((row) => {
    if (row.type === 'hold') books.open.set(row.id, row.amount);
    else if (row.type === 'adjust') books.open.set(row.id, row.amount);
    else if (row.type === 'receipt') {
      const { receipt } = row;
      assert.ok(!books.receipts.has(receipt.id), `${receipt.id} has two receipts`);
      books.receipts.set(receipt.id, receipt);
      books.open.delete(receipt.id);
      books.cost += receipt.cost;
    }
  });
  // A torn last row stays behind where the next life begins its own: only that may lie between whole rows.
  assert.ok(damagedBytes < 4096, `${damagedBytes} bytes of the journal are damaged`);
}

/** What the dead process left: every end that a client saw, to the nano-dollar. Returns its open holds. */
function checkDead(books: Books, { ends }: Load): ReadonlyMap<string, number> {
  readOn(books);
  for (const { id, cost } of ends) {
    const receipt = books.receipts.get(id);
    assert.ok(receipt, `the client saw the end of ${id}, and the journal has no receipt of it`);
    assert.equal(receipt.ending, 'completed', id);
    assert.equal(receipt.cost, cost, id);
  }
  return new Map(books.open);
}

/** What the next life did with them. */
function checkBorn(books: Books, abandoned: ReadonlyMap<string, number>): void {
  readOn(books);
  assert.equal(books.open.size, 0, 'holds of the dead process are still open');
  for (const [id, amount] of abandoned) {
    const receipt = books.receipts.get(id);
    assert.deepEqual([receipt?.ending, receipt?.estimated, receipt?.cost], ['crashed', true, amount], id);
  }
}

async function checkStore(gateway: GatewayProcess, books: Books, { ends }: Load): Promise<void> {
  const costs = await admin<{ total_cost_nano_usd: number; total_requests: number }>(gateway, '/admin/analytics/costs');
  assert.equal(costs.total_cost_nano_usd, books.cost, 'the store and the journal differ in cost');
  assert.equal(costs.total_requests, books.receipts.size, 'the store and the journal differ in receipts');
  // Equal in number and in sum; of those that clients saw, a few one by one: paging through all would take longer than the rest.
  for (const { id, cost } of ends.slice(-3)) {
    const receipt = await admin<{ cost_nano_usd: number }>(gateway, `/admin/requests/${id}`);
    assert.equal(receipt.cost_nano_usd, cost, id);
  }
  const budgets = await admin<{ data: { scope: string; posted: number; held: number }[] }>(gateway, '/admin/budgets');
  const global = budgets.data.find(({ scope }) => scope === 'global');
  assert.equal(global?.held, 0, 'money is held for nobody');
  assert.equal(Math.round((global?.posted ?? 0) * 1e9), books.cost, 'the budget and the journal differ');
}

/** mulberry32: a seed is a run. */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { times: { type: 'string' }, seed: { type: 'string' }, lanes: { type: 'string' } },
  });
  const [times, seed, lanes] = [Number(values.times ?? 1000), Number(values.seed ?? 1), Number(values.lanes ?? 2)];
  const report = (line: string): void => console.log(line);
  // Each lane has a gateway and a data folder of its own; a start is a second of one core.
  const results = await Promise.all(
    Array.from({ length: lanes }, (_, lane) =>
      killMany({ times: Math.ceil((times - lane) / lanes), seed: seed + lane, clients: 20, report }),
    ),
  );
  const sum = (of: (result: KillResult) => number): number => results.reduce((all, result) => all + of(result), 0);
  console.log(
    `${sum(({ kills }) => kills)} kills, ${sum(({ midway }) => midway)} of them midway: ${sum(({ seen }) => seen)} ends seen by clients, ${sum(({ receipts }) => receipts)} receipts, ${sum(({ crashed }) => crashed)} of crashes.`,
  );
  // A lost or doubled row is an assertion error above: here there is none.
  const slowest = Math.max(...results.map(({ recoveryMsMax }) => recoveryMsMax));
  console.log(`0 settled rows lost, 0 doubled, recovery max ${Math.ceil(slowest)} ms`);
}
