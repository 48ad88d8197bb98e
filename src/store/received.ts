// Receipts as the tables take them: a row in the usual shape is read by one expression, any other by JSON.parse.

import type { Ending, Receipt, ReceiptRow } from '../exchange/receipt.ts';
import { inputTokens, outputTokens } from '../exchange/usage.ts';

/** What the tables want of a receipt. Numbers as the row has them: JSON has null where there was none. */
export interface Received {
  readonly id: string;
  /** Epoch ms. */
  readonly at: number;
  readonly keyId: string;
  readonly ending: Ending;
  /** Where it was served. */
  readonly provider: string;
  readonly model: string;
  /** Nano-USD, as are the charges' costs. */
  readonly cost: number;
  readonly saved: number;
  readonly cache: Receipt['cache'];
  readonly charges: readonly Charged[];
  /** The whole receipt as JSON. */
  readonly body: string;
}

export interface Charged {
  readonly provider: string;
  readonly model: string;
  readonly cost: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

const head = Buffer.from('{"type":"receipt","receipt":', 'latin1');

/** Of the row whose JSON is `bytes` from `start` to `end`, a receipt's. */
export function receive(bytes: Buffer, start: number, end: number): Received {
  // The receipt's own text is cut out of its row, which spares writing it anew.
  const body = startsWith(bytes, start, head) ? bytes.toString(undefined, start + head.length, end - 1) : '';
  return readUsual(body) ?? parse(bytes.toString(undefined, start, end), body);
}

export function startsWith(bytes: Buffer, at: number, prefix: Buffer): boolean {
  for (let index = 0; index < prefix.length; index++) if (bytes[at + index] !== prefix[index]) return false;
  return true;
}

function parse(json: string, cut: string): Received {
  const { receipt, accounts } = JSON.parse(json) as ReceiptRow;
  const { id, at, keyId, ending, provider, model, cost, saved, cache } = receipt;
  const charges = receipt.charges.map(({ usage, ...charge }) => ({
    provider: charge.provider,
    model: charge.model,
    cost: charge.cost,
    inputTokens: inputTokens(usage),
    outputTokens: outputTokens(usage),
  }));
  // Where accounts follow it, or something comes before it, it is written.
  const body = accounts === undefined && cut !== '' ? cut : JSON.stringify(receipt);
  return { id, at, keyId, ending, provider, model, cost, saved, cache, charges, body };
}

/** No string that has an escape matches: a quotation mark is always a string's end, and a text is what it looks like. */
const text = '"([^"\\\\]*)"';
const anyText = '"[^"\\\\]*"';
const whole = '(\\d+)';
const anyNumber = '-?\\d+(?:\\.\\d+)?(?:e[+-]\\d+)?';
const anyBoolean = '(?:true|false)';
// Up to a closing bracket, which may stand in a string too: then the name that must follow it is missing.
const anyList = '\\[[^\\]\\\\]*\\]';
const anyTexts = '\\{[^}\\\\]*\\}';
/** What is nearly always the same is left out: a group that nothing matched costs no string. */
const count = '(?:0|([1-9]\\d*))';
const textBut = (usual: string): string => `"(?:${usual}|([^"\\\\]*))"`;

/**
 * A receipt as `finishDraft` and `chargeFor` make it, with one charge, by whoever served it. Written out, since that is 3
 * to 4 times as fast as JSON.parse, which took a quarter of the store's time: most of a receipt is wanted as text only.
 */
const usual = new RegExp(
  `^\\{"id":${text},"at":${whole},"keyId":${text},"scopes":${anyList},"format":${anyText},"asked":${anyText},` +
    `"provider":${text},"model":${text},"rule":${anyText},"stream":${anyBoolean},"ending":${textBut('completed')},` +
    `"status":${anyNumber},"code":${anyText},"charges":\\[\\{"attempt":${anyNumber},"provider":"\\4","model":"\\5",` +
    `"usage":\\{"input":${count},"cacheRead":${count},"cacheReadAudio":${count},"cacheWrite5m":${count},` +
    `"cacheWrite1h":${count},"inputAudio":${count},"inputImage":${count},"output":${count},"reasoning":${count},` +
    `"outputAudio":${count},"outputImage":${count},"webSearches":${anyNumber},"images":${anyNumber},` +
    `"seconds":${anyNumber}(?:,"tier":${anyText})?\\},"cost":${whole},"priceVersion":${anyText}` +
    `(?:,"pricedAs":${anyText})?,"status":${anyNumber}(?:,"estimated":${anyText})?(?:,"failure":${anyText})?\\}\\],` +
    `"cost":\\18,"saved":${count},"estimated":${anyBoolean},"dropped":${anyList},"tags":${anyTexts},` +
    `"cache":${textBut('off')},"durationMs":${anyNumber},"firstByteMs":${anyNumber},"overheadMs":${anyNumber}\\}$`,
);

/** Undefined where it is not of the usual shape. */
export function readUsual(body: string): Received | undefined {
  const found = usual.exec(body);
  if (!found) return undefined;
  const number = (group: number): number => (found[group] === undefined ? 0 : Number(found[group]));
  const [, id = '', , keyId = '', provider = '', model = '', ending = 'completed'] = found;
  const cost = number(18);
  const inputTokens = number(7) + number(8) + number(9) + number(10) + number(11) + number(12) + number(13);
  const outputTokens = number(14) + number(15) + number(16) + number(17);
  return {
    id,
    at: number(2),
    keyId,
    provider,
    model,
    ending: ending as Ending,
    charges: [{ provider, model, inputTokens, outputTokens, cost }],
    cost,
    saved: number(19),
    cache: (found[20] ?? 'off') as Receipt['cache'],
    body,
  };
}
