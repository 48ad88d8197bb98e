// The grammar of scopes, read in one place for the configuration, the control plane and the names that clients give.

export const scopeKinds = [
  'global',
  'org',
  'team',
  'user',
  'service',
  'key',
  'end_user',
  'tag',
  'run',
  'model',
  'provider',
] as const;

export type ScopeKind = (typeof scopeKinds)[number];

/** Ids become parts of account names in which a slash separates: `team:search/run:nightly`. */
const id = /^[\w.-]{0,64}$/;
const person = /^[\w.@+-]{0,128}$/;
const tagName = /^[\w.:/-]{1,64}$/;
const claimedName = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;
/** Long enough for what agents put into Anthropic's `metadata.user_id`. */
const claimedNameMax = 256;

/** The name is absent where no colon stands in it. */
export function splitScope(scope: string): readonly [kind: string, name?: string] {
  const colon = scope.indexOf(':');
  return colon < 0 ? [scope] : [scope.slice(0, colon), scope.slice(colon + 1)];
}

/** What keeps the text from being a scope; undefined where it is one, `*` at its end included. */
export function scopeProblem(scope: string): { readonly message: string; readonly unknownKind?: string } | undefined {
  const [kind, name] = splitScope(scope);
  if (!isScopeKind(kind))
    return { message: `unknown kind of scope; known: ${scopeKinds.join(', ')}`, unknownKind: kind };
  if (kind === 'global') return name === undefined ? undefined : { message: 'global stands alone' };
  const start = name?.endsWith('*') ? name.slice(0, -1) : name;
  if (!name || start === undefined || start.includes('*'))
    return { message: `must be ${kind}:NAME for one, or ${kind}:* for each one` };
  if (name === '*') return undefined;
  const message = nameProblem(kind, start, name !== start);
  return message === undefined ? undefined : { message };
}

/** What makes two budgets the same one: a lifetime has no zone. */
export function budgetIdentity({
  scope,
  per,
  timezone,
}: {
  readonly scope: string;
  readonly per: string;
  readonly timezone: string;
}): string {
  return per === 'lifetime' ? `${scope} lifetime` : `${scope} ${per} ${timezone}`;
}

/** What a request stands on for the target that it goes to. */
export function scopesOfTarget({
  provider,
  model,
}: {
  readonly provider: { readonly name: string };
  readonly model: string;
}): readonly string[] {
  return [`provider:${provider.name}`, `model:${provider.name}/${model}`];
}

function isScopeKind(text: string): text is ScopeKind {
  return (scopeKinds as readonly string[]).includes(text);
}

/** Whether a name that a client gave can be a scope: short enough, nothing in it that cannot be seen. */
export function isClaimedName(name: string): boolean {
  return name !== '' && name.length <= claimedNameMax && claimedName.test(name);
}

export function isTagName(name: string): boolean {
  return tagName.test(name);
}

function nameProblem(kind: Exclude<ScopeKind, 'global'>, name: string, open: boolean): string | undefined {
  switch (kind) {
    case 'org':
    case 'team':
    case 'key':
      return id.test(name)
        ? undefined
        : `must be ${kind}:ID with up to 64 letters, digits, dots, dashes or underscores`;
    case 'user':
    case 'service':
      return person.test(name) ? undefined : `must be ${kind}:NAME such as ${kind}:ann@acme.com, without spaces`;
    case 'run':
    case 'end_user':
      return isClaimedName(name)
        ? undefined
        : `must be ${kind}:NAME of up to ${claimedNameMax} characters that can be seen`;
    case 'tag': {
      const equals = name.indexOf('=');
      if (equals < 0)
        return open && isTagName(name) ? undefined : 'must be tag:NAME=VALUE, or tag:NAME=* for each value';
      const value = name.slice(equals + 1);
      if (isTagName(name.slice(0, equals)) && (isClaimedName(value) || (open && value === ''))) return undefined;
      return 'must be tag:NAME=VALUE, or tag:NAME=* for each value';
    }
    case 'model':
      return /^[^/\s]+\/\S*$/.test(name) && (open || !name.endsWith('/'))
        ? undefined
        : 'must be model:PROVIDER/MODEL, or model:* for each one';
    case 'provider':
      return /^\S+$/.test(name) ? undefined : 'must be provider:NAME, or provider:* for each one';
  }
}
