// The way out to one client: whole answers, streams with back-pressure, and the news that it has left.

import type { Reply } from '../exchange/ingress.ts';
import type { InboundReply } from '../world/world.ts';

/** On every answer of the data plane: nothing here may be cached, sniffed, framed or run. */
const guards = {
  'cache-control': 'private, no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
} as const;

export interface OpenReply extends Reply {
  /** Called once the reply is over, whichever way. */
  onOver(listener: () => void): void;
}

/** `headOnly`: a HEAD request, whose answer may have no body; node throws where one is written all the same. */
export function openReply(outbound: InboundReply, closing: () => boolean, headOnly = false): OpenReply {
  let begun = false;
  let ended = false;
  let gone = false;
  let over = false;
  let drained: (() => void) | undefined;
  let left: (() => void) | undefined;
  let finished: (() => void) | undefined;

  outbound.on('drain', () => drained?.());
  outbound.on('error', () => undefined);
  outbound.on('close', () => {
    if (!outbound.writableFinished) {
      gone = true;
      // A paused pump must wake to notice that nobody reads any more.
      left?.();
      drained?.();
    }
    over = true;
    finished?.();
  });

  const head = (headers: Readonly<Record<string, string>>): Record<string, string | number> => ({
    ...headers,
    ...guards,
    ...(closing() ? { connection: 'close' } : {}),
  });

  return {
    send(status, headers, body) {
      if (gone || begun) return;
      begun = true;
      ended = true;
      const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
      outbound.writeHead(status, { ...head(headers), 'content-length': bytes });
      outbound.end(headOnly ? undefined : body);
    },
    begin(status, headers) {
      if (gone || begun) return;
      begun = true;
      outbound.writeHead(status, { ...head(headers), 'x-accel-buffering': 'no' });
    },
    write(chunk) {
      return gone || ended || outbound.write(chunk);
    },
    end() {
      if (!gone && !ended) outbound.end();
      ended = true;
    },
    destroy() {
      outbound.destroy();
    },
    get begun() {
      return begun;
    },
    get ended() {
      return ended;
    },
    get gone() {
      return gone;
    },
    onDrain(listener) {
      drained = listener;
    },
    onGone(listener) {
      if (gone) listener();
      else left = listener;
    },
    onOver(listener) {
      if (over) listener();
      else finished = listener;
    },
  };
}
