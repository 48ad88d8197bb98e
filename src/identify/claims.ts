// What a request calls its own (a run, tags, an end user), as far as its key lets it. Every name adds a limit, none lifts one.

import type { Caller, ClaimKind, ClaimRules } from '../exchange/caller.ts';
import type { Scoped } from '../exchange/hold.ts';
import { Refusal } from '../exchange/refusal.ts';
import { isClaimedName } from '../exchange/scope.ts';

/** The names as the request has them. */
export interface Said {
  readonly run?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly endUser?: string | undefined;
}

export interface Claims extends Said {
  readonly scopes: readonly Scoped[];
}

const words: Readonly<Record<ClaimKind, readonly [what: string, where: string]>> = {
  run: ['a run', 'X-Tollgate-Run'],
  tag: ['tags', 'X-Tollgate-Tags'],
  end_user: ['an end user', 'user'],
};

/** Throws `not_allowed` where the key forbids a name, `invalid_request` where one cannot be a scope. */
export function readClaims(said: Said, { claims: rules }: Pick<Caller, 'claims'>): Claims {
  if (rules?.forbid) for (const kind of rules.forbid) refuseNamed(kind, said);
  const { run, endUser, tags } = rules?.pin ? pinned(said, rules.pin) : said;
  const scopes: Scoped[] = [];
  if (run !== undefined) scopes.push({ scope: `run:${checked('run', run)}` });
  for (const name in tags) scopes.push({ scope: `tag:${name}=${checked('tag', tags[name] ?? '')}` });
  if (endUser !== undefined) scopes.push({ scope: `end_user:${checked('end_user', endUser)}` });
  return { run, tags, endUser, scopes };
}

/** What the record says of the names: the tags, and the others under names of their own. */
export function labelsOf(
  { run, tags, endUser }: Claims,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const labels: Record<string, string> = { ...tags, ...more };
  if (run !== undefined) labels.run = run;
  if (endUser !== undefined) labels.end_user = endUser;
  return labels;
}

function pinned(said: Said, pin: NonNullable<ClaimRules['pin']>): Said {
  return {
    run: pin.run ?? said.run,
    endUser: pin.end_user ?? said.endUser,
    tags: pin.tag ? { ...said.tags, ...pin.tag } : said.tags,
  };
}

function refuseNamed(kind: ClaimKind, { run, tags, endUser }: Said): void {
  const named = kind === 'run' ? run : kind === 'end_user' ? endUser : Object.keys(tags)[0];
  if (named === undefined) return;
  const [what, param] = words[kind];
  throw new Refusal('not_allowed', `This key may not name ${what} (${param}).`, { param });
}

function checked(kind: ClaimKind, name: string): string {
  const trimmed = name.trim();
  if (isClaimedName(trimmed)) return trimmed;
  const [what, param] = words[kind];
  throw new Refusal(
    'invalid_request',
    `The name of ${what} (${param}) must have 1 to 256 characters, all of which can be seen.`,
    { param },
  );
}
