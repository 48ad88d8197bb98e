// A client's model name made into the targets it stands for: alias, `provider/model`, or a bare name and who owns it.

import { allowed } from '../exchange/allowed.ts';
import type { Caller } from '../exchange/caller.ts';
import type { Alias, Snapshot } from '../exchange/policy.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Provider, Target } from '../exchange/target.ts';

/** What a provider's row says, whether or not it is configured: enough to tell an operator what is missing. */
export interface KnownProvider {
  readonly name: string;
  readonly synonyms: readonly string[];
  readonly owns: readonly RegExp[];
  readonly keyVariables: readonly string[];
  readonly keyFileVariables: readonly string[];
}

export interface Asked {
  readonly model: string;
  readonly providerHeader?: string | undefined;
  readonly caller: Caller;
  readonly snapshot: Snapshot;
}

export type Weighted = Target & { readonly weight: number };

export interface Resolved {
  /** In the alias's order; never empty. */
  readonly targets: readonly Weighted[];
  readonly alias?: Alias;
}

/** Longer names are no model of anyone, and do not reach the patterns. */
const modelLengthMax = 256;

export function resolve(asked: Asked, known: readonly KnownProvider[]): Resolved {
  const { model, snapshot, caller } = asked;
  if (model === '' || model.length > modelLengthMax) throw unknown(asked);
  if (asked.providerHeader) return { targets: [byHeader(asked, asked.providerHeader, known)] };

  const alias = snapshot.aliases.get(model);
  if (alias) {
    const open = mayUse(caller, alias.name);
    const targets = open ? alias.targets : alias.targets.filter((target) => mayUse(caller, target, snapshot));
    if (targets.length === 0) throw notAllowed(model);
    return { targets, alias };
  }
  const { first, rest } = halves(model);
  const provider = first === '' ? undefined : configured(snapshot, first);
  return { targets: [provider ? permitted(asked, provider, rest) : byOwner(asked, known)] };
}

/**
 * An alias by its name; a target as `provider/model`, under each name of the provider, or as the bare model. A model with a
 * slash is not taken bare: `openai/*` must not open `openrouter/openai/gpt-4o`.
 */
export function mayUse(
  caller: Caller,
  what: string | { readonly provider: Pick<Provider, 'name'>; readonly model: string },
  snapshot?: Snapshot,
): boolean {
  if (caller.allowedModels.length === 0) return true;
  if (typeof what === 'string') return allowed(caller, [what]);
  const { provider, model } = what;
  const names = [`${provider.name}/${model}`];
  for (const [synonym, name] of snapshot?.synonyms ?? []) {
    if (name === provider.name && synonym !== name) names.push(`${synonym}/${model}`);
  }
  if (!model.includes('/')) names.push(model);
  return allowed(caller, names);
}

/** The first segment and what follows it; nothing before the slash, or nothing after it, is no provider. */
function halves(model: string): { first: string; rest: string } {
  const slash = model.indexOf('/');
  if (slash <= 0 || slash === model.length - 1) return { first: '', rest: model };
  return { first: model.slice(0, slash), rest: model.slice(slash + 1) };
}

function configured(snapshot: Snapshot, name: string): Provider | undefined {
  return snapshot.providers.get(snapshot.synonyms.get(name) ?? name);
}

function permitted(asked: Asked, provider: Provider, model: string): Weighted {
  const target: Weighted = { provider, model, timeouts: provider.timeouts, weight: 1 };
  if (!mayUse(asked.caller, target, asked.snapshot)) throw notAllowed(`${provider.name}/${model}`);
  return target;
}

/** The header names the provider, so the model is the provider's own name for it, its own prefix forgiven. */
function byHeader(asked: Asked, header: string, known: readonly KnownProvider[]): Weighted {
  const name = header.trim().toLowerCase();
  const provider = configured(asked.snapshot, name);
  if (!provider) throw unknown(asked, remedyFor(name, known));
  const { first, rest } = halves(asked.model);
  const prefixed = first !== '' && configured(asked.snapshot, first) === provider;
  return permitted(asked, provider, prefixed ? rest : asked.model);
}

/** The first provider, in the configuration's order, that owns the name and that the key may use. */
function byOwner(asked: Asked, known: readonly KnownProvider[]): Weighted {
  const { model, snapshot, caller } = asked;
  const owners = [...snapshot.providers.values()].filter((provider) => provider.owns.some((each) => each.test(model)));
  const owner = owners.find((provider) => mayUse(caller, { provider, model }, snapshot)) ?? owners[0];
  if (owner) return permitted(asked, owner, model);
  throw unknown(asked, remedyFor(model, known));
}

/** What to set so that a provider, provider/model or bare model is served that is not; empty where nothing is known of it. */
export function remedyFor(wanted: string, known: readonly KnownProvider[]): string {
  const { first } = halves(wanted);
  const name = first === '' ? wanted : first;
  const named = known.filter((row) => row.name === name || row.synonyms.includes(name));
  const owning = first === '' ? known.filter((row) => row.owns.some((each) => each.test(wanted))) : [];
  return (named.length > 0 ? named : owning).map(whatToSet).join(', or ');
}

function whatToSet(row: KnownProvider): string {
  const [variable] = [...row.keyVariables, ...row.keyFileVariables];
  return variable
    ? `set ${variable} where the gateway runs, to use ${row.name}`
    : `name ${row.name} under providers: in the gateway's configuration`;
}

function unknown(asked: Asked, remedy = ''): Refusal {
  const place = asked.providerHeader ? ` at "${asked.providerHeader.slice(0, 60)}"` : '';
  const said = remedy || 'write provider/model or an alias; GET /v1/models lists what this key may use';
  const message = `No configured provider serves the model "${asked.model.slice(0, 100)}"${place}: ${said}.`;
  return new Refusal('unknown_model', message, { param: 'model' });
}

function notAllowed(name: string): Refusal {
  const message = `This key may not use ${name.slice(0, 160)}; GET /v1/models lists what it may use.`;
  return new Refusal('not_allowed', message, { param: 'model' });
}
