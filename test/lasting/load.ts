// Clients at work on a gateway that may die at any moment: they note which exchanges they saw end, and at what cost.

import type { GatewayProcess } from '../gateway.ts';
import { chat } from './tools.ts';

/** An exchange whose end the client saw: the terminator of a stream, or the whole body. */
export interface End {
  readonly id: string;
  /** Nano-USD, as the client was told. */
  readonly cost: number;
}

export interface Load {
  readonly ends: readonly End[];
  /** Resolves once every client has met a dead gateway. */
  readonly over: Promise<void>;
}

/** `clients` in parallel, each one request after another: whole answers, streams, long streams, streams it leaves. */
export function startLoad(gateway: GatewayProcess, clients: number, chance: () => number): Load {
  const ends: End[] = [];
  const lanes = Array.from({ length: clients }, async () => {
    for (;;) {
      const kind = chance();
      try {
        if (kind < 0.4) await whole(gateway, ends);
        else await stream(gateway, ends, kind < 0.9 ? 'fast' : 'long', chance() < 0.1);
      } catch (error) {
        if (error instanceof Unexpected) throw error;
        // The gateway is dead: what this client had open has no end.
        return;
      }
    }
  });
  return { ends, over: Promise.all(lanes).then(() => undefined) };
}

/** An answer that no kill explains. */
class Unexpected extends Error {}

/** Throws `Unexpected` but for a gateway that was told to end: that one is as good as dead. */
function refused(status: number, text: string): never {
  if (status === 503 && text.includes('"draining"')) throw new Error('draining');
  throw new Unexpected(`${status} ${text}`);
}

async function whole(gateway: GatewayProcess, ends: End[]): Promise<void> {
  const response = await chat(gateway, { model: 'up/fast' });
  const text = await response.text();
  if (response.status !== 200) refused(response.status, text);
  ends.push({ id: idOf(response), cost: nano(response.headers.get('x-tollgate-cost')) });
}

async function stream(gateway: GatewayProcess, ends: End[], model: string, leaves: boolean): Promise<void> {
  const leaving = new AbortController();
  const ask = { model: `up/${model}`, stream: true, stream_options: { include_usage: true } };
  const response = await chat(gateway, ask, {}, leaving.signal);
  if (response.status !== 200) refused(response.status, await response.text());
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (leaves) {
      leaving.abort();
      return;
    }
    if (!text.includes('data: [DONE]')) continue;
    ends.push({ id: idOf(response), cost: nano(/"cost":([\d.e-]+)/.exec(text)?.[1]) });
    text = '';
  }
}

function idOf(response: Response): string {
  return response.headers.get('x-tollgate-request-id') ?? '';
}

function nano(usd: string | null | undefined): number {
  return Math.round(Number(usd) * 1e9);
}
