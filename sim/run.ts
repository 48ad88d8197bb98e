// Runs the whole gateway in simulated worlds and holds it to its invariants: `node sim/run.ts --seeds 300`.

import { parseArgs } from 'node:util';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '300' }, first: { type: 'string', default: '1' } },
});
const seeds = Number(values.seeds);
const first = Number(values.first);
let failed = 0;
const endings: { [ending: string]: number } = {};

for (let seed = first; seed < first + seeds; seed++) {
  const one = await simulate(seed);
  const two = await simulate(seed);
  const problems = one.trace === two.trace ? one.problems : [...one.problems, 'the same seed gave two different runs'];
  for (const [ending, count] of Object.entries(one.endings)) endings[ending] = (endings[ending] ?? 0) + count;
  if (problems.length === 0) continue;
  failed++;
  console.error(`seed ${seed}:\n  ${problems.slice(0, 5).join('\n  ')}`);
}

console.log(`${seeds} seeds, each run twice; endings: ${JSON.stringify(endings)}`);
console.log(`${seeds - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed > 0 ? 1 : 0);
