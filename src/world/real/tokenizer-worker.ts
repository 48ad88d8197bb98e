// Counts tokens in a thread of its own: piece by piece, so that no text, however hostile, passes its bound.

import { parentPort } from 'node:worker_threads';

export type Encoding = 'o200k_base' | 'cl100k_base';

export interface CountQuestion {
  readonly id: number;
  readonly text: string;
  readonly encoding: Encoding;
  /** The most that the thread may work on it, in ms of its own time: on a busy machine it stands still between. */
  readonly workMs: number;
  /** Epoch ms after which nobody waits for the answer. */
  readonly until: number;
}

/** Main's wish: to count with a vocabulary soon. */
export interface LoadWish {
  readonly load: Encoding;
}

export interface CountAnswer {
  readonly id: number;
  /** Absent where the bound came first. */
  readonly tokens?: number;
}

/** That vocabulary can be counted with. */
export interface Loaded {
  readonly loaded: Encoding;
}

/**
 * A tokenizer takes quadratic time for a run without a break (20,000 letters: 0.4 s), so that none gets longer: pieces
 * of 512 characters take 3-10 ms for 20,000 of them, whatever they are. Each cut adds one token at most, 0.8 % of such a run.
 */
const pieceCharacters = 512;
const piecesBetweenLooks = 16;

type Count = (text: string, options: { disallowedSpecial: Set<string> }) => number;

const plain = { disallowedSpecial: new Set<string>() };
const loaded = new Map<Encoding, Promise<Count>>();

/** A first count takes ten times as long as the next ones: the code is not compiled yet, and tables are made as they are met. */
const practice = 'for (const word of words) { "The 1st one": naïve, 中文, слово } '.repeat(64);

/** Loading takes 230 ms and 70 MB each. */
function load(encoding: Encoding): Promise<Count> {
  let count = loaded.get(encoding);
  if (!count) {
    count = (
      encoding === 'o200k_base'
        ? import('gpt-tokenizer/encoding/o200k_base')
        : import('gpt-tokenizer/encoding/cl100k_base')
    ).then(({ countTokens }) => {
      countPieces(practice, countTokens, () => false);
      return countTokens;
    });
    loaded.set(encoding, count);
  }
  return count;
}

function countPieces(text: string, count: Count, late: () => boolean): number | undefined {
  let tokens = 0;
  let pieces = 0;
  for (let from = 0; from < text.length; ) {
    if (pieces++ % piecesBetweenLooks === 0 && late()) return undefined;
    const to = pieceEnd(text, from);
    tokens += count(text.slice(from, to), plain);
    from = to;
  }
  return tokens;
}

/** Before a blank where there is one near, since a token begins there anyway; never inside a surrogate pair. */
function pieceEnd(text: string, from: number): number {
  const most = from + pieceCharacters;
  if (most >= text.length) return text.length;
  const blank = text.lastIndexOf(' ', most);
  if (blank > from + pieceCharacters / 2) return blank;
  const code = text.charCodeAt(most);
  return code >= 0xdc00 && code <= 0xdfff ? most + 1 : most;
}

parentPort?.on('message', (message: CountQuestion | LoadWish) => {
  if ('load' in message) {
    void load(message.load).then(() => parentPort?.postMessage({ loaded: message.load } satisfies Loaded));
    return;
  }
  const { id, text, encoding, workMs, until } = message;
  void load(encoding).then((count) => {
    const from = process.threadCpuUsage();
    const late = (): boolean => {
      const { user, system } = process.threadCpuUsage(from);
      return (user + system) / 1000 > workMs || Date.now() > until;
    };
    const tokens = countPieces(text, count, late);
    const answer: CountAnswer = { id, ...(tokens === undefined ? {} : { tokens }) };
    parentPort?.postMessage(answer);
  });
});
