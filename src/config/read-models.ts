// The `models` section: aliases, each an ordered list of targets.

import type { Alias } from '../exchange/policy.ts';
import type { ProviderRow } from '../exchange/provider-row.ts';
import type { Target } from '../exchange/target.ts';
import type { Findings, Path } from './problems.ts';
import { findRow } from './provider-table.ts';
import type { ReadProviders } from './read-providers.ts';
import type { ConfigFile } from './schema.ts';
import { nearest } from './suggest.ts';
import { parseDuration } from './units.ts';

type Section = NonNullable<ConfigFile['models']>;
type Entry = Exclude<Section[string], string>;

export interface ModelSources {
  readonly ready: ReadProviders;
  readonly rows: readonly ProviderRow[];
  readonly findings: Findings;
  /** Names in the `providers` section; undefined where there is none and the environment decides. */
  readonly declared: readonly string[] | undefined;
  readonly lenient: boolean;
}

export function readModels(section: Section, sources: ModelSources): Map<string, Alias> {
  const aliases = new Map<string, Alias>();
  for (const [name, written] of Object.entries(section)) {
    const path: Path = ['models', name];
    if (name === '' || /\s/.test(name) || name.length > 200) {
      sources.findings.problem(path, 'a model name has no blanks and at most 200 characters');
      continue;
    }
    const prefix = name.includes('/') ? name.slice(0, name.indexOf('/')) : '';
    if (prefix && (sources.ready.synonyms.has(prefix) || findRow(sources.rows, prefix))) {
      sources.findings.problem(
        path,
        `${prefix}/… names a provider's model already; choose a name without the provider`,
      );
      continue;
    }
    const entry: Entry = typeof written === 'string' ? { targets: [written] } : written;
    const strategy = entry.strategy ?? 'failover';
    const targets = entry.targets.flatMap((target, index) => {
      const at: Path = typeof written === 'string' ? path : [...path, 'targets', index];
      const read = readTarget(typeof target === 'string' ? { model: target } : target, at, sources);
      return read ? [read] : [];
    });
    if (strategy === 'weighted' && targets.length > 0 && targets.every((target) => target.weight === 0)) {
      sources.findings.problem(path, 'every target has weight 0: nothing could be chosen');
    }
    if (
      strategy !== 'weighted' &&
      entry.targets.some((target) => typeof target !== 'string' && target.weight !== undefined)
    ) {
      sources.findings.problem(path, `weight has a meaning with strategy: weighted only, and this one is ${strategy}`);
    }
    if (targets.length > 0) aliases.set(name, { name, targets, strategy });
  }
  return aliases;
}

function readTarget(
  written: { readonly model: string; readonly weight?: number | undefined; readonly timeout?: string | undefined },
  path: Path,
  sources: ModelSources,
): (Target & { readonly weight: number }) | undefined {
  const slash = written.model.indexOf('/');
  const providerName = written.model.slice(0, slash);
  const provider = sources.ready.providers.get(sources.ready.synonyms.get(providerName) ?? '');
  const total = written.timeout === undefined ? undefined : parseDuration(written.timeout);
  if (written.timeout !== undefined && total === undefined) {
    sources.findings.problem([...path, 'timeout'], 'must be a duration above zero, such as 30s');
  }
  if (!provider) {
    missingProvider(providerName, path, sources);
    return undefined;
  }
  const timeouts = total === undefined ? provider.timeouts : { ...provider.timeouts, total };
  return { provider, model: written.model.slice(slash + 1), timeouts, weight: written.weight ?? 1 };
}

function missingProvider(name: string, path: Path, sources: ModelSources): void {
  const { findings, rows, declared } = sources;
  // A provider that was refused above is already reported there.
  if (declared?.includes(name)) return;
  const row = findRow(rows, name);
  if (!row) {
    const names = [...sources.ready.synonyms.keys(), ...rows.flatMap((known) => [known.name, ...known.synonyms])];
    findings.problem(path, `there is no provider ${name}`, nearest(name, names));
  } else if (declared) {
    findings.problem(path, `the provider ${name} is not in the providers section; add it there`);
  } else if (row.name === 'sim') {
    // It needs no key, so that another machine would not have it either.
    findings.problem(path, 'with a file the built-in provider is off until it is named: add providers: { sim: {} }');
  } else {
    const variable = row.keyVariables[0] ?? row.keyFileVariables[0];
    const message = `the provider ${name} has no key here: ${variable ? `set ${variable}` : 'declare it under providers'}`;
    if (sources.lenient) findings.warning(path, message);
    else findings.problem(path, message);
  }
}
