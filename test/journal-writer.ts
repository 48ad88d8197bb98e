// Holds and settles until it is killed, and says on standard output what was settled: `node test/journal-writer.ts FOLDER`.

import { createBudget } from '../src/budget/budget.ts';
import { openJournal } from '../src/budget/journal.ts';
import { openSegments } from '../src/world/real/segments.ts';
import { atOnce, caller, quiet, receipt, rule, still, target } from './ledger.ts';

const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: () => () => undefined,
  every: () => () => undefined,
  soon: (task: () => void) => void setImmediate(task),
};
const journal = openJournal(openSegments(process.argv[2] ?? ''), clock, { segmentBytes: 100_000 });
const budgets = [rule('global', 1e15, 'lifetime')];
const budget = createBudget({ clock, log: quiet }, journal, { live: still(budgets) });

for (let turn = 0; ; turn++) {
  const holds = Array.from({ length: 5 }, (_, index) => {
    const id = `e${turn}-${index}`;
    return atOnce(
      budget.hold({
        id,
        caller: caller('k1'),
        target: target('sim', 'small'),
        amount: 100,
        minimum: 1,
        budgets,
        extra: [],
      }),
    );
  });
  await budget.written();
  for (const hold of holds.slice(0, 4)) {
    budget.close(hold, receipt(hold.id, turn % 90));
    await budget.settled();
    process.stdout.write(`${hold.id}\n`);
  }
}
