// The way out to one client: whole answers, streams with back-pressure, and the news that it has left.

import type { Reply } from '../exchange/ingress.ts';
import type { Listed } from '../exchange/roster.ts';
import type { InboundReply } from '../world/world.ts';

/**
 * A class with fields, not an object with getters: V8 gives each literal with accessors a hidden class of its own, which
 * lives in the old generation and keeps the whole exchange reachable until the next full collection.
 */
export class OpenReply implements Reply, Listed {
  seat = -1;
  begun = false;
  ended = false;
  gone = false;
  #over = false;
  #clocked = false;
  readonly #outbound: InboundReply;
  readonly #closing: () => boolean;
  readonly #headOnly: boolean;
  #drained: (() => void) | undefined;
  #left: (() => void) | undefined;
  #finished: (() => void) | undefined;

  /** `headOnly`: a HEAD request, whose answer may have no body; node throws where one is written all the same. */
  constructor(outbound: InboundReply, closing: () => boolean, headOnly = false) {
    this.#outbound = outbound;
    this.#closing = closing;
    this.#headOnly = headOnly;
    outbound.on('error', ignore);
    outbound.on('close', () => this.#closed());
  }

  send(status: number, headers: Readonly<Record<string, string>>, body: Uint8Array | string): void {
    if (this.gone || this.begun) return;
    this.begun = true;
    this.ended = true;
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    this.#outbound.writeHead(status, this.#head(headers, 'content-length', bytes));
    this.#outbound.end(this.#headOnly ? undefined : body);
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.gone || this.begun) return;
    this.begun = true;
    this.#outbound.on('drain', () => this.#drained?.());
    this.#outbound.writeHead(status, this.#head(headers, 'x-accel-buffering', 'no'));
  }

  write(chunk: Uint8Array | string): boolean {
    return this.gone || this.ended || this.#outbound.write(chunk);
  }

  writeLatin1(text: string): boolean {
    return this.gone || this.ended || this.#outbound.write(text, 'latin1');
  }

  end(): void {
    if (!this.gone && !this.ended) this.#outbound.end();
    this.ended = true;
  }

  destroy(): void {
    this.#outbound.destroy();
  }

  /** From now on a client that takes nothing for so long loses its connection. A later call changes nothing. */
  giveUpAfter(ms: number): void {
    if (this.#clocked) return;
    this.#clocked = true;
    this.#outbound.setTimeout(ms, () => this.destroy());
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  onGone(listener: () => void): void {
    if (this.gone) listener();
    else this.#left = listener;
  }

  /** Called once the reply is over, whichever way. */
  onOver(listener: () => void): void {
    if (this.#over) listener();
    else this.#finished = listener;
  }

  /** One more header, and those on every answer of the data plane: nothing here may be cached, sniffed, framed or run. */
  #head(
    headers: Readonly<Record<string, string>>,
    name: string,
    value: string | number,
  ): Record<string, string | number> {
    const head: Record<string, string | number> = {
      ...headers,
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      [name]: value,
    };
    if (this.#closing()) head.connection = 'close';
    return head;
  }

  #closed(): void {
    if (!this.#outbound.writableFinished) {
      this.gone = true;
      // A paused pump must wake to notice that nobody reads any more.
      this.#left?.();
      this.#drained?.();
    }
    this.#over = true;
    this.#finished?.();
  }
}

const ignore = (): void => undefined;
