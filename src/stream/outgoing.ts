// Gathers what leaves for one chunk that came, so that it leaves in one write.

export interface Outgoing {
  add(bytes: Uint8Array | string, untouched: boolean): void;
  flush(): void;
}

/** Neighbours that are views of the same chunk leave as one view, uncopied. */
export function createOutgoing(send: (bytes: Uint8Array | string) => void): Outgoing {
  let pieces: (Uint8Array | string)[] = [];
  return {
    add(bytes, untouched) {
      const last = pieces.at(-1);
      if (untouched && last instanceof Uint8Array && bytes instanceof Uint8Array) {
        if (last.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
          pieces[pieces.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + bytes.length);
          return;
        }
      }
      pieces.push(bytes);
    },
    flush() {
      if (pieces.length === 0) return;
      const bytes = joined(pieces);
      pieces = [];
      send(bytes);
    },
  };
}

export function joined(pieces: readonly (Uint8Array | string)[]): Uint8Array | string {
  const [first] = pieces;
  if (pieces.length === 1 && first !== undefined) return first;
  if (pieces.every((piece) => typeof piece === 'string')) return pieces.join('');
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}
