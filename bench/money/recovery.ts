// How long a start takes to read a large journal back: `node bench/money/recovery.ts [exchanges]`. The goal is 5 s.

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBudget } from '../../src/budget/budget.ts';
import { openJournal } from '../../src/budget/journal.ts';
import { openSegments } from '../../src/world/real/segments.ts';
import { atOnce, caller, quiet, receipt, rule, still, target } from '../../test/ledger.ts';
import { turns } from '../turns.ts';

/** Two rows each. */
const exchanges = Number(process.argv[2] ?? 500_000);
const keys = 10_000;

const folder = mkdtempSync(join(tmpdir(), 'tollgate-recovery-'));
const { clock, end } = turns();
const budgets = [rule('global', 2 ** 52, 'month'), rule('key:*', 2 ** 52), rule('key:*', 2 ** 52, 'lifetime')];
const live = still(budgets);
const callers = Array.from({ length: keys }, (_, index) => caller(`k${index}`));

try {
  const journal = openJournal(openSegments(folder), clock);
  const budget = createBudget({ clock, log: quiet }, journal, { live });
  for (let index = 0; index < exchanges; index++) {
    const id = `01a1fceb-5802-7e72-bd92-${index}`;
    const asking = callers[index % keys] ?? caller('k');
    const wants = { id, caller: asking, target: target('sim', 'small'), amount: 1000, minimum: 1, budgets, extra: [] };
    const hold = atOnce(budget.hold(wants));
    end();
    budget.close(hold, receipt(id, 700));
    end();
  }
  await journal.close();
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  const megabytes = sizes.reduce((sum, size) => sum + size, 0) / 1e6;

  const startedAt = performance.now();
  const again = openJournal(openSegments(folder), clock);
  createBudget({ clock, log: quiet }, again, { live });
  const ms = Math.ceil(performance.now() - startedAt);
  await again.close();
  console.log(
    `${2 * exchanges} rows of ${keys} keys, ${sizes.length} files, ${megabytes.toFixed(0)} MB: read back in ${ms} ms`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
