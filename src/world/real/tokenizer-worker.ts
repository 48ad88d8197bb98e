// Counts tokens in a thread of its own: piece by piece, so that no text, however hostile, passes its bound.

import { parentPort } from 'node:worker_threads';

/** Main's question. `until` is epoch ms: a question that waited too long is not worth an answer. */
export interface CountQuestion {
  readonly id: number;
  readonly text: string;
  readonly encoding: 'o200k_base' | 'cl100k_base';
  readonly until: number;
}

export interface CountAnswer {
  readonly id: number;
  /** Absent where the bound came first. */
  readonly tokens?: number;
}

/** The id of the message that says that the worker can count. */
const ready = -1;

/**
 * A tokenizer takes quadratic time for a run without a break (20,000 letters: 0.4 s), so that none gets longer: pieces
 * of 512 characters take 3-10 ms for 20,000 of them, whatever they are. Each cut adds one token at most, 0.8 % of such a run.
 */
const pieceCharacters = 512;
const piecesBetweenLooks = 16;

type Count = (text: string, options: { disallowedSpecial: Set<string> }) => number;

const plain = { disallowedSpecial: new Set<string>() };
const loaded = new Map<string, Promise<{ countTokens: Count }>>();

/** Loading takes 230 ms and 70 MB each. */
function load(encoding: CountQuestion['encoding']): Promise<{ countTokens: Count }> {
  let module = loaded.get(encoding);
  if (!module) {
    module =
      encoding === 'o200k_base'
        ? import('gpt-tokenizer/encoding/o200k_base')
        : import('gpt-tokenizer/encoding/cl100k_base');
    loaded.set(encoding, module);
  }
  return module;
}

function countPieces(text: string, count: (piece: string) => number, late: () => boolean): number | undefined {
  let tokens = 0;
  let pieces = 0;
  for (let from = 0; from < text.length; ) {
    if (pieces++ % piecesBetweenLooks === 0 && late()) return undefined;
    const to = pieceEnd(text, from);
    tokens += count(text.slice(from, to));
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

/** Before it, a question would wait for the vocabulary. */
void load('o200k_base').then(() => parentPort?.postMessage({ id: ready }));

parentPort?.on('message', (question: CountQuestion) => {
  void load(question.encoding).then(({ countTokens }) => {
    const late = (): boolean => Date.now() > question.until;
    const tokens = countPieces(question.text, (piece) => countTokens(piece, plain), late);
    const answer: CountAnswer = { id: question.id, ...(tokens === undefined ? {} : { tokens }) };
    parentPort?.postMessage(answer);
  });
});
