// Streams: users who start at seeded moments and each run one stream after another, every chunk's delay measured.

import { type Client, createClient } from './client.ts';
import { microsNow } from './mark.ts';
import { type Outcome, type StreamPlan, seeded, spread } from './plan.ts';
import { createTally, type Tally } from './tally.ts';

interface Samples {
  readonly values: Float64Array;
  count: number;
}

interface Run {
  readonly plan: StreamPlan;
  readonly client: Client;
  readonly tally: Tally;
  readonly request: Buffer;
  readonly firstChunks: Samples;
  readonly chunkDelays: Samples;
  userEnded(): void;
}

function keep(samples: Samples, value: number): void {
  if (samples.count < samples.values.length) samples.values[samples.count++] = value;
}

/** One user's stream; the next begins when it has ended. A stream with a chunk too few or too many is an error, whatever its status. */
function runStream(run: Run, serial: number): void {
  const { plan, tally } = run;
  if (serial === plan.streamsPerUser) {
    run.userEnded();
    return;
  }
  const warm = serial === plan.streamsPerUser - 1;
  const sentAt = microsNow();
  let seen = 0;
  run.client.send(run.request, {
    read() {
      tally.reads++;
    },
    mark(writtenAt) {
      const now = microsNow();
      if (seen++ === 0 && warm) keep(run.firstChunks, (now - sentAt) / 1000);
      tally.chunks++;
      if (warm) keep(run.chunkDelays, (now - writtenAt) / 1000);
    },
    end(status) {
      if (status !== 200) tally.failed(`status ${status}`);
      else if (seen !== plan.chunksPerStream) tally.failed(`${seen} chunks of ${plan.chunksPerStream}`);
      else tally.done++;
      runStream(run, serial + 1);
    },
    fail(reason) {
      tally.failed(reason);
      run.userEnded();
    },
  });
}

export function runStreams(plan: StreamPlan): Promise<Outcome> {
  return new Promise((resolve) => {
    const client = createClient(plan.port);
    const tally = createTally(plan.watch);
    let active = plan.users;
    const finish = (): void => {
      for (const timer of timers) clearTimeout(timer);
      client.close();
      resolve({
        ...tally.outcome(),
        firstChunk: spread(run.firstChunks.values.subarray(0, run.firstChunks.count)),
        chunkDelay: spread(run.chunkDelays.values.subarray(0, run.chunkDelays.count)),
      });
    };
    const run: Run = {
      plan,
      client,
      tally,
      request: Buffer.from(plan.request, 'latin1'),
      firstChunks: { values: new Float64Array(plan.users), count: 0 },
      chunkDelays: { values: new Float64Array(plan.users * plan.chunksPerStream), count: 0 },
      userEnded() {
        if (--active === 0) finish();
      },
    };
    const chance = seeded(plan.seed);
    const timers = [
      setTimeout(() => {
        tally.failed('deadline');
        finish();
      }, plan.deadlineMs),
    ];
    if (plan.window) {
      timers.push(setTimeout(tally.open, plan.window[0]), setTimeout(tally.close, plan.window[1]));
    } else tally.open();
    for (let user = 0; user < plan.users; user++) timers.push(setTimeout(runStream, chance() * plan.rampMs, run, 0));
  });
}
