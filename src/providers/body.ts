// The small adjustments by which one provider's dialect of a format differs: edits of top-level members, nothing else.

import { type Edit, type Member, member, members, splice } from '../exchange/json-span.ts';
import type { Provider } from '../exchange/target.ts';

interface Quirk {
  /** Why the provider needs it: shown in the generated table of providers. */
  readonly why: string;
  readonly edits?: (list: readonly Member[]) => Edit[];
}

export const quirks: Readonly<Record<string, Quirk>> = {
  'max-tokens': {
    why: 'reads only `max_tokens`: an output limit under the other name would be ignored, and paid for',
    edits: (list) => rename(list, 'max_completion_tokens', 'max_tokens'),
  },
  'random-seed': {
    why: 'calls the seed `random_seed` and refuses fields it does not know',
    edits: (list) => rename(list, 'seed', 'random_seed'),
  },
  'no-stream-options': {
    why: 'refuses `stream_options`; its streams always end with usage',
    edits: (list) => remove(list, 'stream_options'),
  },
  'vertex-anthropic': {
    why: 'takes the model from the path and the API version from the body',
    edits: (list) => {
      const version = list.some(({ key }) => key === 'anthropic_version');
      if (version) return remove(list, 'model');
      const model = member(list, 'model');
      const text = '"anthropic_version":"vertex-2023-10-16"';
      return model ? [{ from: model.at, to: model.to, text }] : [];
    },
  },
  azure: { why: 'has an address scheme of its own' },
  'cache-control': { why: 'understands `cache_control` marks, so that a crossing keeps them' },
  'no-video': { why: 'has no part for video, so that a crossing tells it as lost' },
  'top-k': { why: 'takes `top_k`, so that a crossing keeps it' },
};

/** The body as this provider wants it; the same object where nothing differs. */
export function adjustBody(provider: Provider, body: Buffer | string): Buffer | string {
  let bytes: Buffer | undefined;
  for (const name of provider.quirks) {
    const edits = quirks[name]?.edits;
    if (!edits) continue;
    const before: Buffer = bytes ?? (typeof body === 'string' ? Buffer.from(body, 'utf8') : body);
    const list = members(before);
    const wanted = edits(list);
    if (wanted.length > 0) bytes = splice(before, wanted);
  }
  return bytes ?? body;
}

/** Where both names stand, the one that the provider reads wins and the other is removed. */
function rename(list: readonly Member[], from: string, to: string): Edit[] {
  const old = member(list, from);
  if (!old) return [];
  if (member(list, to)) return remove(list, from);
  return [{ from: old.at, to: old.from, text: `${JSON.stringify(to)}:` }];
}

/** Removes every member of that name, with the comma that joined it to its neighbour. */
function remove(list: readonly Member[], key: string): Edit[] {
  const edits: Edit[] = [];
  // Until a member that stays has been passed, a removed one takes the comma behind it; afterwards the one before it.
  let kept = false;
  for (const [index, one] of list.entries()) {
    if (one.key !== key) {
      kept = true;
      continue;
    }
    const next = list[index + 1];
    if (kept) edits.push({ from: list[index - 1]?.to ?? one.at, to: one.to, text: '' });
    else edits.push({ from: one.at, to: next ? next.at : one.to, text: '' });
  }
  return edits;
}
