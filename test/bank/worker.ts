// A worker process of the parent's bank for tests: does with its port what the lines on its standard input say.

import { createInterface } from 'node:readline';
import { createWorkerBank } from '../../src/bank/parent.ts';
import { type BankAsk, EnterFirst, type SliceWant } from '../../src/exchange/bank.ts';

const bank = createWorkerBank(process);
const say = (message: unknown): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
bank.onRecall((recalled) => say({ id: 0, recalled }));

const real = (want: SliceWant): SliceWant => ({ ...want, endsAt: want.endsAt ?? Number.POSITIVE_INFINITY });

createInterface(process.stdin).on('line', (line) => {
  const { id, method, words } = JSON.parse(line) as { id: number; method: string; words: unknown[] };
  const [first, second] = words;
  const ask = first as BankAsk;
  const call =
    method === 'exchange'
      ? bank.exchange({ ...ask, wants: ask.wants.map(real) })
      : bank.enter(first as string, (second as SliceWant[]).map(real));
  call.then(
    (answer) => say({ id, answer }),
    (error: Error) => say({ id, error: error.message, enterFirst: error instanceof EnterFirst }),
  );
});
