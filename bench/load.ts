// The load generator, a process of its own: takes one plan at a time over its channel, runs it, answers with an outcome.

import { runClosed, runOpen } from './load-requests.ts';
import { runStreams } from './load-streams.ts';
import type { Outcome, Plan } from './plan.ts';

function run(plan: Plan): Promise<Outcome> {
  switch (plan.kind) {
    case 'closed':
      return runClosed(plan);
    case 'open':
      return runOpen(plan);
    case 'streams':
      return runStreams(plan);
  }
}

process.on('message', (plan: Plan) => {
  run(plan).then(
    (outcome) => process.send?.({ outcome }),
    (error: Error) => process.send?.({ failure: error.stack ?? error.message }),
  );
});
process.on('disconnect', () => process.exit());
