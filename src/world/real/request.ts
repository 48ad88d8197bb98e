// A request whose body is handed over as the parser finds it: node's stream would hold each piece for a few turns more.

import { IncomingMessage } from './http.ts';

/** Fields of node's request on which its own code stands and which its types leave out; the runtime is pinned. */
interface Internals {
  _consuming: boolean;
  _dumpAndCloseReadable(): void;
}

/** A runtime without it keeps its stream. */
const closes = typeof (IncomingMessage.prototype as Partial<Internals>)._dumpAndCloseReadable === 'function';

/** Of a request's 200 us of CPU it spares 4: the stream's buffer, its ticks and its events. */
export class DirectRequest extends IncomingMessage {
  #take: ((piece: Buffer | null) => void) | undefined;

  /** Each piece of the body, and null at its end; `error` and `close` tell of a body that has none. Asked for once. */
  onBody(take: (piece: Buffer | null) => void): void {
    if (!closes || this.complete || this.readableLength > 0) {
      this.on('data', take);
      this.on('end', () => take(null));
      return;
    }
    this.#take = take;
    // Node would throw away, at the end of the answer, a body that nobody seems to read.
    (this as unknown as Internals)._consuming = true;
  }

  /** Node's parser calls it; what it answers says whether the socket may go on. */
  override push(piece: Buffer | null, encoding?: BufferEncoding): boolean {
    const take = this.#take;
    if (take === undefined) return super.push(piece, encoding);
    if (piece === null) {
      this.#take = undefined;
      // To node the stream is at its end and closed: nothing of it is left to wait for.
      (this as unknown as Internals)._dumpAndCloseReadable();
    }
    take(piece);
    return true;
  }
}
