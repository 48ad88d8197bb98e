// Gathers a whole answer, within a bound.

import type { Reply } from '../exchange/ingress.ts';
import type { CallHandle, CallHandler } from '../exchange/wire.ts';
import type { Outcome, StreamEnd } from './outcome.ts';

/** Starts the call with a handler; returns its handle. */
export type Start = (handler: CallHandler) => CallHandle;

/** Resolves once, never rejects. A client that leaves aborts the call. */
export function collect(start: Start, reply: Reply, answerBytes: number): Promise<Outcome> {
  return new Promise((resolve) => {
    let status = 0;
    let headers: Readonly<Record<string, string>> = {};
    const chunks: Buffer[] = [];
    let size = 0;
    let over = false;
    const fail = (end: Exclude<StreamEnd, { kind: 'whole' }>): void => {
      if (over) return;
      over = true;
      resolve({ kind: 'failed', passed: { characters: 0, status }, end });
    };
    const handle = start({
      start(answered, received) {
        status = answered;
        headers = received;
      },
      data(chunk) {
        if (over) return;
        size += chunk.length;
        chunks.push(chunk);
        if (size <= answerBytes) return;
        fail(unreadable(`the provider's answer is larger than ${Math.floor(answerBytes / 1e6)} MB`));
        handle.abort();
      },
      end() {
        if (over) return;
        over = true;
        const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size);
        resolve({ kind: 'answer', status, headers, body });
      },
      fail: (failure) => fail({ kind: 'broken', failure: { from: 'call', call: failure } }),
    });
    reply.onGone(() => {
      fail({ kind: 'gone' });
      handle.abort();
    });
  });
}

export function unreadable(message: string): Extract<StreamEnd, { kind: 'broken' }> {
  return { kind: 'broken', failure: { from: 'provider', upstream: { status: 502, kind: 'unreadable', message } } };
}
