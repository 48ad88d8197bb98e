// R30: requests around window edges are charged to the window they came in, and each window begins once.

import { aroundEdges } from '../../sim/edges.ts';
import type { Verdict } from './verdict.ts';

const requests = 100_000;

export async function r30(_instances: number, seed: number): Promise<Verdict> {
  const { admitted, windows, misplaced, problems } = await aroundEdges(seed, requests);
  return {
    row: 'R30',
    what: `${requests.toLocaleString('en-US')} requests within a second of minute edges, 3 instances, clocks 2 s apart, simulated`,
    figures: { admitted, windows, misplaced, 'other problems': problems.length - misplaced },
    misses: problems.slice(0, 3),
  };
}
