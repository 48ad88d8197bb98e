// The same-format request: the client's bytes with the fields the gateway owns, and the spellings a provider insists on.

import type { RequestBody, UpEdits } from '../../exchange/codec.ts';
import {
  splice as apply,
  type Edit,
  type Member,
  member,
  members,
  setMember,
  skipBlanks,
  valueEnd,
} from '../../exchange/json-span.ts';
import type { Loss } from '../../exchange/prompt.ts';
import type { Target } from '../../exchange/target.ts';
import { type Json, list, object } from '../json.ts';
import { withoutTagged } from './tagged.ts';

export function splice(
  { raw, body, members: top }: RequestBody,
  edits: UpEdits,
  target: Target,
  losses: Loss[] = [],
): Buffer {
  const quirks = target.provider.quirks;
  const changes: Edit[] = [];
  const set = (key: string, value: unknown): void => {
    changes.push(setMember(raw, top, 0, key, JSON.stringify(value)));
  };
  const rename = (from: Member, key: string, text: string): void => {
    changes.push({ from: from.at, to: from.to, text: `${JSON.stringify(key)}:${text}` });
  };
  if (body.model !== edits.model) set('model', edits.model);
  if (body.stream === true && !quirks.includes('no-stream-options')) {
    const options = object(body.stream_options);
    if (options.include_usage !== true) set('stream_options', { ...options, include_usage: true });
  }
  limitEdits(raw, body, edits.outputLimit, quirks.includes('max-tokens'), top, set, rename);
  const seed = quirks.includes('random-seed') ? member(top, 'seed') : undefined;
  if (seed && body.random_seed === undefined) rename(seed, 'random_seed', raw.toString('utf8', seed.from, seed.to));
  const noDevelopers = quirks.includes('no-developer-role');
  const messages = withoutTagged(raw, body, losses);
  if (messages) set('messages', noDevelopers ? messages.map(developerAsSystem) : messages);
  else if (noDevelopers) changes.push(...roleEdits(raw, body, top));
  return apply(raw, changes);
}

/**
 * The clamp goes where the client put its limit. A provider that knows `max_tokens` alone would run past a limit
 * spelled the new way, so there the key is respelled, clamped or not.
 */
function limitEdits(
  raw: Buffer,
  body: Json,
  clamp: number | undefined,
  oldSpelling: boolean,
  top: readonly Member[],
  set: (key: string, value: unknown) => void,
  rename: (from: Member, key: string, text: string) => void,
): void {
  const given = (key: string): boolean => body[key] !== undefined && body[key] !== null;
  const modern = member(top, 'max_completion_tokens');
  if (oldSpelling && modern && given('max_completion_tokens') && body.max_tokens === undefined) {
    rename(modern, 'max_tokens', clamp === undefined ? raw.toString('utf8', modern.from, modern.to) : String(clamp));
    return;
  }
  if (clamp === undefined) return;
  const used = ['max_tokens', 'max_completion_tokens'].filter(given);
  if (oldSpelling && !used.includes('max_tokens')) used.push('max_tokens');
  for (const key of used.length > 0 ? used : ['max_completion_tokens']) set(key, clamp);
}

function developerAsSystem(message: Json): Json {
  return message.role === 'developer' ? { ...message, role: 'system' } : message;
}

/** `developer` said as `system`, message by message, where the provider knows no developers. */
function roleEdits(raw: Buffer, body: Json, top: readonly Member[]): Edit[] {
  const messages = member(top, 'messages');
  const edits: Edit[] = [];
  if (!messages || !list(body.messages).some((message) => object(message).role === 'developer')) return edits;
  let at = skipBlanks(raw, messages.from + 1);
  while (at < messages.to - 1) {
    const role = member(members(raw, at), 'role');
    if (role && raw.toString('utf8', role.from, role.to) === '"developer"') {
      edits.push({ from: role.from, to: role.to, text: '"system"' });
    }
    at = skipBlanks(raw, valueEnd(raw, at));
    if (raw[at] !== 0x2c) break;
    at = skipBlanks(raw, at + 1);
  }
  return edits;
}
