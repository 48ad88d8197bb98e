// One simulated world from one seed: builds the gateway, lets clients and providers do their worst, checks what is left.

import { createHash } from 'node:crypto';
import { openJournal } from '../src/budget/journal.ts';
import { scanRows } from '../src/exchange/journal.ts';
import type { Snapshot } from '../src/exchange/policy.ts';
import type { JournalRow } from '../src/exchange/receipt.ts';
import { assemble, type Gateway, type GatewayParts } from '../src/gateway.ts';
import type { World } from '../src/world/world.ts';
import { type Chance, createChance } from './chance.ts';
import { check, type Evidence } from './check.ts';
import { type ClientAnswer, send } from './client.ts';
import { createClock, type SimClock } from './clock.ts';
import { createFolder, type SimFolder } from './files.ts';
import { drawPolicy } from './policy.ts';
import { createUpstream, type Deed } from './upstream.ts';

export interface Run {
  readonly problems: string[];
  /** A hash of everything that was written and answered: equal for equal seeds. */
  readonly trace: string;
  readonly endings: Readonly<{ [ending: string]: number }>;
  readonly evidence: Evidence;
}

/** Five minutes before midnight UTC: half of the ten minutes in which clients come lie in one day, half in the next. */
const startEpochMs = Date.UTC(2026, 0, 1, 23, 55);
const requests = 40;

export interface SimulatedWorld {
  readonly chance: Chance;
  readonly clock: SimClock;
  readonly folder: SimFolder;
  readonly deeds: Deed[];
  readonly policy: Snapshot;
  readonly gateway: Gateway;
}

/** The whole gateway in a world drawn from the seed; `parts` replaces what a test wants otherwise. */
export function buildWorld(seed: number, parts: Partial<GatewayParts> = {}): SimulatedWorld {
  const chance = createChance(seed);
  const clock = createClock(startEpochMs);
  const folder = createFolder();
  const deeds: Deed[] = [];
  const silent = (): void => undefined;
  const world: World = {
    clock,
    random: chance,
    network: createUpstream(clock, chance, deeds),
    log: { debugs: false, debug: silent, info: silent, warn: silent, error: silent },
  };
  const policy = drawPolicy(chance);
  const gateway = assemble(world, {
    policy: () => policy,
    budgets: () => policy.budgets,
    catalogue: { version: 'none', find: () => undefined, models: () => [] },
    known: [],
    journal: openJournal(folder, clock),
    pepper: Buffer.alloc(32, 7),
    keys: [],
    simulate: () => ({ status: 404, headers: {}, steps: [], ends: 'end' }),
    loopDelayMs: () => 0,
    ...parts,
  });
  return { chance, clock, folder, deeds, policy, gateway };
}

export async function simulate(seed: number): Promise<Run> {
  const { chance, clock, folder, deeds, policy, gateway } = buildWorld(seed);
  const { identified, answers } = traffic(clock, chance, gateway, folder);
  await clock.run(3_600_000, () => gateway.inflight() === 0);
  gateway.stop();

  const rows = rowsOf(folder);
  const balances = gateway.budget.balances(policy.budgets);
  const evidence: Evidence = {
    identified: identified(),
    answers,
    rows,
    balances,
    openHolds: gateway.budget.open,
    metrics: gateway.record.metrics(balances, gateway.route.health()),
  };
  const endings: { [ending: string]: number } = {};
  for (const row of rows)
    if (row.type === 'receipt') endings[row.receipt.ending] = (endings[row.receipt.ending] ?? 0) + 1;
  return {
    problems: check(evidence),
    trace: createHash('sha256')
      .update(JSON.stringify([rows, answers, deeds]))
      .digest('hex'),
    endings,
    evidence,
  };
}

function rowsOf(folder: SimFolder): JournalRow[] {
  const rows: JournalRow[] = [];
  for (const name of folder.list()) scanRows(folder.read(name), 0, (row) => rows.push(row));
  return rows;
}

/** Draws clients over ten simulated minutes: known and unknown keys, whole and broken bodies, some that leave or stall. */
function traffic(
  clock: SimClock,
  chance: Chance,
  gateway: Gateway,
  folder: SimFolder,
): { identified: () => number; answers: ClientAnswer[] } {
  const answers: ClientAnswer[] = [];
  let known = 0;
  const keys = ['a', 'b', 'c'].map((name) => {
    const { record, key } = gateway.identify.mint(chance, { name });
    gateway.identify.add(record);
    return key;
  }) as [string, ...string[]];

  for (let number = 0; number < requests; number++) {
    clock.after(chance.below(600_000), () => {
      const stranger = chance.below(12) === 0;
      if (!stranger) known++;
      const anthropic = chance.below(2) === 0;
      const stream = chance.below(3) > 0;
      const model = chance.pick(['both', 'both', 'both', 'one/m', 'one/m', 'two/m', 'two/m', 'nobody/m']);
      const body = {
        model,
        stream,
        max_tokens: 1 + chance.below(900),
        messages: [{ role: 'user', content: 'hello '.repeat(chance.below(50) + 1) }],
      };
      const text = JSON.stringify(body);
      answers.push(
        send(clock, gateway.listener, {
          path: anthropic ? '/v1/messages' : '/v1/chat/completions',
          headers: {
            'content-type': 'application/json',
            [anthropic ? 'x-api-key' : 'authorization']:
              (anthropic ? '' : 'Bearer ') + (stranger ? 'sk-tg-unknown' : chance.pick(keys)),
          },
          body: chance.below(15) === 0 ? text.slice(0, chance.below(text.length)) : text,
          ...(chance.below(6) === 0 ? { leavesAfterMs: chance.below(4_000) } : {}),
          ...(chance.below(8) === 0 ? { stalls: { afterBytes: chance.below(400), forMs: chance.below(90_000) } } : {}),
        }),
      );
    });
  }
  for (let kills = chance.below(6); kills > 0; kills--) {
    clock.after(chance.below(600_000), () => {
      const running = gateway.running.list();
      const [first] = running;
      if (!first) return;
      const { id, keyId } = running[chance.below(running.length)] ?? first;
      if (chance.below(3) === 0) gateway.running.kill('key', keyId);
      else gateway.running.kill('request', id);
    });
  }
  const outage = chance.below(4) === 0 ? chance.below(600_000) : -1;
  if (outage >= 0) {
    clock.after(outage, () => {
      folder.full = true;
    });
    clock.after(outage + 20_000, () => {
      folder.full = false;
    });
  }
  return { identified: () => known, answers };
}
