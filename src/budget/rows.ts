// Journal rows as JSON text, put together by hand: the accounts' part is made once a window, not once a request.

import type { Counted, HoldRow, Receipt } from '../exchange/receipt.ts';
import type { Account } from './accounts.ts';
import { type OpenHold, type Place, type Posting, standing } from './open-hold.ts';

// By hand instead of JSON.stringify of a row object: the accounts' text is not made anew for each request.
export function holdJson(hold: OpenHold): string {
  const { id, at, amount, target, caller } = hold;
  return `{"type":"hold","id":${JSON.stringify(id)},"at":${at},"amount":${amount},"accounts":${standingJson(hold)},"provider":${quoted(target.provider.name)},"model":${quoted(target.model)},"keyId":${quoted(caller.keyId)}${aboutJson(hold)}}`;
}

/** Names met before, as JSON. */
const names = new Map<string, string>();
const namesMax = 4096;

function quoted(name: string): string {
  let text = names.get(name);
  if (text === undefined) {
    text = JSON.stringify(name);
    // Model names come from clients.
    if (names.size >= namesMax) names.clear();
    names.set(name, text);
  }
  return text;
}

/**
 * What a crash's receipt cannot know otherwise. Only what differs from the usual: 0 bytes for a whole answer in the OpenAI
 * format under its own name, 14 for a stream, about 60 for an aliased stream in another format; the row has 250 to 700.
 */
function aboutJson({ about, caller, number, target, stages, shared }: OpenHold): string {
  let text = '';
  if (about) {
    const { format, asked, stream } = about;
    if (format !== 'openai-chat') text += `,"format":"${format}"`;
    if (asked !== target.model) text += `,"asked":${JSON.stringify(asked.slice(0, 256))}`;
    if (stream) text += ',"stream":true';
    text += scopesBeside(caller.scopes, shared);
  }
  if (stages.length > 1) text += `,"attempt":${stages.length}`;
  if (number > 0) text += `,"number":${number}`;
  return text;
}

/** The caller's scopes that no account of the row names. */
function scopesBeside(scopes: readonly string[], places: readonly Place[]): string {
  let text = '';
  for (const scope of scopes) {
    if (places.some(({ entry }) => entry.account.scope === scope)) continue;
    text += text === '' ? JSON.stringify(scope) : `,${JSON.stringify(scope)}`;
  }
  return text === '' ? '' : `,"scopes":[${text}]`;
}

/** Counts the row: its number is spent even where it cannot be written. */
export function adjustJson(hold: OpenHold, at: number, accountsAre: 'same' | 'moved' | 'joined'): string {
  const { id, amount, target } = hold;
  hold.number += 1;
  const joined = accountsAre === 'joined' ? ',"joined":true' : '';
  const accounts = accountsAre === 'same' ? '' : `,"accounts":${standingJson(hold)}${joined}`;
  return `{"type":"adjust","id":${JSON.stringify(id)},"at":${at},"number":${hold.number},"amount":${amount},"provider":${JSON.stringify(target.provider.name)},"model":${JSON.stringify(target.model)}${accounts}}`;
}

/** Without `accounts` the cost is posted to every account of the hold. */
export function receiptJson(receipt: Receipt, accounts?: string): string {
  const more = accounts === undefined ? '' : `,"accounts":${accounts}`;
  return `{"type":"receipt","receipt":${JSON.stringify(receipt)}${more}}`;
}

/** Undefined where a reader finds it by itself. */
export function postingsJson(hold: OpenHold, postings: readonly Posting[], cost: number): string | undefined {
  if (hold.stages.length === 1 && !hold.joined && postings.every(({ amount }) => amount === cost)) return undefined;
  return `[${postings.map(({ place, amount }) => `${place.bucket.json.slice(0, -1)},"amount":${amount}}`).join(',')}]`;
}

export function balancesJson(
  at: number,
  accounts: Iterable<Account>,
  open: Iterable<OpenHold>,
  abandoned: Iterable<HoldRow>,
  counted: readonly Counted[],
): string {
  const sums: string[] = [];
  for (const { bucket, usedAt } of accounts) {
    if (bucket.posted === 0 || at >= bucket.window.endsAt) continue;
    sums.push(`${bucket.json.slice(0, -1)},"amount":${bucket.posted},"at":${usedAt}}`);
  }
  const holds: string[] = [];
  for (const hold of open) holds.push(holdJson(hold));
  for (const row of abandoned) holds.push(JSON.stringify(row));
  return `{"type":"balances","at":${at},"accounts":[${sums.join(',')}],"open":[${holds.join(',')}]${counted.length > 0 ? `,"counted":${JSON.stringify(counted)}` : ''}}`;
}

function standingJson(hold: OpenHold): string {
  let text = '';
  for (const { bucket } of hold.shared) text += text ? `,${bucket.json}` : bucket.json;
  for (const { bucket } of standing(hold)) text += text ? `,${bucket.json}` : bucket.json;
  return `[${text}]`;
}
