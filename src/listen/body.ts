// Reads one request body within its bounds: bytes of one, bytes of all that are being read or held at once.

import { Buffer } from 'node:buffer';
import { Refusal } from '../exchange/refusal.ts';
import type { InboundRequest } from '../world/world.ts';

export interface BodyBounds {
  readonly oneBytes: number;
  readonly allBytes: number;
}

/** What an exchange has of the common bound on bodies. */
export interface Taken {
  bytes: number;
  /** It may have been ended while a body was still being read. */
  over: boolean;
}

export interface BodyReader {
  /** Rejects with `too_large`, `overloaded` or `client_closed`. What it read is counted in `taken`, unless that is over by then. */
  read(request: InboundRequest, taken: Taken): Promise<Buffer>;
  /** Gives back what was taken of the common bound, once the exchange is over. */
  release(taken: Taken): void;
}

export function createBodyReader(bounds: BodyBounds): BodyReader {
  let held = 0;

  function read(request: InboundRequest, taken: Taken): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const declared = Number(request.headers['content-length'] ?? 0);
      const encoding = request.headers['content-encoding'];
      if (encoding !== undefined && encoding !== 'identity') {
        reject(
          new Refusal('invalid_request', 'Send the body without content-encoding.', { param: 'content-encoding' }),
        );
        return;
      }
      if (declared > bounds.oneBytes) {
        reject(tooLarge(bounds.oneBytes));
        return;
      }
      let chunks: Buffer[] = [];
      let size = 0;
      let over = false;
      const finish = (refusal?: Refusal): void => {
        if (over) return;
        over = true;
        if (!refusal) {
          const body = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size);
          // The listeners below live as long as the request does.
          chunks = [];
          if (taken.over) held -= size;
          else taken.bytes += size;
          resolve(body);
          return;
        }
        held -= size;
        reject(refusal);
      };
      request.onBody((chunk) => {
        if (over) return;
        if (chunk === null) {
          finish();
          return;
        }
        size += chunk.length;
        held += chunk.length;
        if (size > bounds.oneBytes) finish(tooLarge(bounds.oneBytes));
        else if (held > bounds.allBytes)
          finish(new Refusal('overloaded', 'Too many request bodies at once; try again.', { retryAfter: 1 }));
        else chunks.push(chunk);
      });
      const left = (): void => {
        // Every request closes in the end; an error with its stack is made only for one that had not ended.
        if (!over) finish(new Refusal('client_closed', 'The client left before its body was whole.'));
      };
      request.on('error', left);
      request.on('close', left);
    });
  }

  return {
    read,
    release({ bytes }) {
      held -= bytes;
    },
  };
}

function tooLarge(bytes: number): Refusal {
  return new Refusal('too_large', `The body is larger than ${Math.floor(bytes / 1e6)} MB.`);
}
