// The text of answers that may have to be counted exactly: kept only while money is scarce, and bounded.

/** One stream, and all of them. Beyond it the estimate alone decides. */
const eachMax = 1_000_000;
const allMax = 64_000_000;

export interface KeptText {
  add(text: string): void;
  /** What was kept since the last call; undefined where some of it had to be let go. */
  take(): string | undefined;
  /** Gives the room back; nothing is kept from then on. */
  release(): void;
}

export interface Texts {
  /** Undefined where all the room is taken. */
  keep(): KeptText | undefined;
}

export function createTexts(): Texts {
  let all = 0;

  const keep = (): KeptText | undefined => {
    if (all >= allMax) return undefined;
    let pieces: string[] = [];
    let size = 0;
    let lost = false;
    const drop = (): void => {
      all -= size;
      pieces = [];
      size = 0;
    };
    return {
      add(text) {
        if (lost) return;
        if (size + text.length > eachMax || all + text.length > allMax) {
          drop();
          lost = true;
          return;
        }
        pieces.push(text);
        size += text.length;
        all += text.length;
      },
      take() {
        const text = lost ? undefined : pieces.join('');
        drop();
        return text;
      },
      release() {
        drop();
        lost = true;
      },
    };
  };

  return { keep };
}
