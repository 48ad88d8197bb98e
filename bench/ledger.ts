// CPU per request of hold, journal and settle on ten scopes, 10,000 keys: `node bench/ledger.ts [requests]`. The goal is 6 µs.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBudget } from '../src/budget/budget.ts';
import { openJournal } from '../src/budget/journal.ts';
import type { Period } from '../src/exchange/caller.ts';
import { openSegments } from '../src/world/real/segments.ts';
import { atOnce, caller, quiet, receipt, rule, still, target } from '../test/ledger.ts';
import { turns } from './turns.ts';

const requests = Number(process.argv[2] ?? 200_000);
/** Requests that share one turn of the loop, and with it one write of holds. */
const perTurn = 4;

const folder = mkdtempSync(join(tmpdir(), 'tollgate-bench-'));
const { clock, end } = turns();

const periods: readonly Period[] = ['minute', 'hour', 'day', 'week', 'month'];
const budgets = ['global', 'key:*'].flatMap((scope) => periods.map((per) => rule(scope, 2 ** 52, per)));
const callers = Array.from({ length: 10_000 }, (_, number) => caller(`k${number}`));
const small = target('sim', 'small');
const journal = openJournal(openSegments(folder), clock);
const budget = createBudget({ clock, log: quiet }, journal, { live: still(budgets) });

function run(count: number): void {
  for (let done = 0; done < count; done += perTurn) {
    const holds = [];
    for (let each = 0; each < perTurn; each++) {
      const id = `01HZX${done}-${each}`;
      holds.push(
        atOnce(
          budget.hold({
            id,
            caller: callers[(done + each) % callers.length] ?? caller('k'),
            target: small,
            amount: 1000,
            minimum: 1,
            budgets,
            extra: [],
          }),
        ),
      );
    }
    void budget.written();
    end();
    for (const hold of holds) budget.close(hold, receipt(hold.id, 700));
    void budget.settled();
    end();
  }
}

run(20_000);
const before = process.cpuUsage();
run(requests);
const { user, system } = process.cpuUsage(before);
await journal.close();
rmSync(folder, { recursive: true });

const perRequest = (user + system) / requests;
console.log(
  `${perRequest.toFixed(2)} µs of CPU a request (user ${(user / requests).toFixed(2)}, system ${(system / requests).toFixed(2)}), ten scopes, ${callers.length} keys, ${perTurn} holds a turn`,
);
