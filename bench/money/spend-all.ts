// Programs that ask as long as anybody is served: the way a loop at night spends a budget to its end.

import type { GatewayProcess } from '../../test/gateway.ts';
import { type Told, tell } from './program.ts';

export interface Spending {
  readonly gateways: readonly GatewayProcess[];
  readonly key: string;
  /** Asking at the same time, spread over the instances. */
  readonly programs: number;
  readonly model: string;
  /** Every other one streams unless this says otherwise. */
  readonly streams?: 'all' | 'none' | 'half';
  readonly maxTokens?: number;
}

/** A program that was refused asks again once somebody's answer has ended, and gives up when nobody's is left. */
export async function spendAll({
  gateways,
  key,
  programs,
  model,
  streams = 'half',
  maxTokens,
}: Spending): Promise<Told[]> {
  const all: Told[] = [];
  let running = 0;
  let waiting: (() => void)[] = [];
  const wake = (): void => {
    const woken = waiting;
    waiting = [];
    for (const each of woken) each();
  };
  const program = async (number: number): Promise<void> => {
    const { url } = gateways[number % gateways.length] as GatewayProcess;
    for (let turn = 0; ; turn++) {
      const stream = streams === 'half' ? (number + turn) % 2 === 0 : streams === 'all';
      running++;
      const told = await tell({ url, key, model, stream, ...(maxTokens === undefined ? {} : { maxTokens }) });
      running--;
      all.push(told);
      if (told.end !== 'refused') {
        wake();
        continue;
      }
      // Refused while nobody's answer is on its way: the budget is at its end.
      if (running === 0) {
        finished = true;
        wake();
      }
      if (finished) return;
      await new Promise<void>((resolve) => waiting.push(resolve));
      if (finished) return;
    }
  };
  let finished = false;
  await Promise.all(Array.from({ length: programs }, (_, number) => program(number)));
  return all;
}

export function counted(all: readonly Told[]): Record<string, number> {
  const counts: Record<string, number> = { whole: 0, cut: 0, refused: 0, torn: 0 };
  for (const { end } of all) counts[end] = (counts[end] ?? 0) + 1;
  return counts;
}
