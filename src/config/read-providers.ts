// The `providers` section, or the environment's usual variables where there is none, as ready providers.

import type { ProviderRow } from '../exchange/provider-row.ts';
import type { Auth, Billing, Provider, Secret, Timeouts } from '../exchange/target.ts';
import { Secret as SecretValue } from '../exchange/target.ts';
import type { Findings, Path } from './problems.ts';
import { type Configured, findRow, fromEnvironment, type ProviderTable } from './provider-table.ts';
import type { References } from './references.ts';
import type { ConfigFile } from './schema.ts';
import { nearest } from './suggest.ts';
import { parseDuration } from './units.ts';

export interface ReadProviders {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly synonyms: ReadonlyMap<string, string>;
  /** Providers whose models the operator declared free. */
  readonly free: readonly string[];
}

export interface ProviderSources {
  readonly table: ProviderTable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
  readonly references: References;
  readonly findings: Findings;
  /** True where secrets may be missing: a check on a machine that has none. */
  readonly lenient: boolean;
}

type Section = NonNullable<ConfigFile['providers']>;
type Entry = NonNullable<Section[string]>;

export function readProviders(section: Section, sources: ProviderSources): ReadProviders {
  const providers = new Map<string, Provider>();
  const free: string[] = [];
  for (const [name, written] of Object.entries(section)) {
    const path: Path = ['providers', name];
    if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) {
      sources.findings.problem(path, 'a provider name is made of letters, digits, dots, dashes and underscores');
      continue;
    }
    const entry = written ?? {};
    const row = rowFor(name, entry, path, sources);
    if (!row) continue;
    if (providers.has(row.name)) {
      sources.findings.problem(path, `${row.name} is configured twice (${name} is another name for it)`);
      continue;
    }
    const configured = configuredFor(row, entry, path, sources);
    if (!configured) continue;
    const provider = ready(row, configured, path, sources);
    if (!provider) continue;
    providers.set(row.name, provider);
    if (entry.free === true) free.push(row.name);
  }
  return { providers, synonyms: synonymsOf(providers, sources.table.rows), free };
}

/** Every provider that the environment holds a key for, in the table's order. */
export function providersFromEnvironment(sources: ProviderSources, withSim: boolean): ReadProviders {
  const providers = new Map<string, Provider>();
  for (const row of sources.table.rows) {
    const found = fromEnvironment(row, sources.environment);
    const hasKey = found.key !== undefined || found.keyFile !== undefined;
    if (row.name === 'sim' ? !withSim : !hasKey) continue;
    const keys = row.name === 'sim' ? [] : environmentKeys(row, [], sources);
    if (!keys) continue;
    const provider = ready(row, { keys, trust: 'config', settings: found.settings }, [], sources);
    if (provider) providers.set(row.name, provider);
  }
  return { providers, synonyms: synonymsOf(providers, sources.table.rows), free: [] };
}

function synonymsOf(providers: ReadonlyMap<string, Provider>, rows: readonly ProviderRow[]): Map<string, string> {
  const synonyms = new Map<string, string>();
  for (const name of providers.keys()) synonyms.set(name, name);
  for (const name of providers.keys()) {
    for (const synonym of rows.find((row) => row.name === name)?.synonyms ?? []) {
      if (!synonyms.has(synonym)) synonyms.set(synonym, name);
    }
  }
  return synonyms;
}

function rowFor(name: string, entry: Entry, path: Path, sources: ProviderSources): ProviderRow | undefined {
  const { rows } = sources.table;
  const known = findRow(rows, name);
  const owns = (entry.owns ?? []).map(ownsPattern);
  if (known) {
    if (entry.format && entry.format !== known.format) {
      const cure = 'give a provider with another format a name of its own';
      sources.findings.problem([...path, 'format'], `${known.name} speaks ${known.format}; ${cure}`);
      return undefined;
    }
    const auth = (entry.auth as Auth | undefined) ?? known.auth;
    return { ...known, auth, owns: [...owns, ...known.owns], billing: billingOf(known.billing, entry.billing) };
  }
  if (entry.format && entry.base_url) {
    const row = sources.table.genericRow(name, entry.format);
    return { ...row, auth: entry.auth ?? row.auth, owns, billing: billingOf(row.billing, entry.billing) };
  }
  const missing = [entry.format ? '' : 'format', entry.base_url ? '' : 'base_url'].filter(Boolean).join(' and ');
  const names = rows.flatMap((row) => [row.name, ...row.synonyms]);
  const message = `not a provider that Tollgate knows; to declare one of your own, add ${missing}`;
  sources.findings.problem(path, message, nearest(name, names));
  return undefined;
}

function billingOf(known: Billing, written: Entry['billing']): Billing {
  if (!written) return known;
  const { abort_stops: abortStops = known.abortStops, low_water: lowWater = known.lowWater } = written;
  const mode = written.abort_stops === undefined ? known.mode : abortStops ? 'strict' : 'bounded';
  return { mode, abortStops, lowWater };
}

/** `llama-*` as a pattern anchored at both ends; linear, since clients' text runs through it. */
function ownsPattern(glob: string): RegExp {
  const literal = glob.replace(/\*$/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(glob.endsWith('*') ? `^${literal}` : `^${literal}$`);
}

function configuredFor(row: ProviderRow, entry: Entry, path: Path, sources: ProviderSources): Configured | undefined {
  const { findings, references } = sources;
  const before = findings.problems.length;
  if (entry.base_url !== undefined) warnOfHttp(entry.base_url, path, findings);
  const keys = readKeys(row, entry, path, sources);
  const timeouts = readTimeouts(entry.timeouts ?? {}, [...path, 'timeouts'], findings);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(entry.headers ?? {})) {
    const text = references.text(value, [...path, 'headers', name]);
    if (text !== undefined) headers[name] = text;
  }
  const settings = { ...fromEnvironment(row, sources.environment).settings };
  for (const [name, value] of Object.entries(entry.settings ?? {})) {
    const text = references.text(String(value), [...path, 'settings', name]);
    if (text !== undefined) settings[name] = text;
  }
  if (findings.problems.length > before) return undefined;
  const baseUrl = entry.base_url === undefined ? {} : { baseUrl: entry.base_url };
  return { keys: keys ?? [], trust: 'config', headers, timeouts, settings, ...baseUrl };
}

/** What the row itself cannot live with becomes a problem at its key. */
function ready(row: ProviderRow, configured: Configured, path: Path, sources: ProviderSources): Provider | undefined {
  try {
    return sources.table.readyProvider(row, configured);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const key = (error as { key?: unknown }).key;
    if (typeof key !== 'string') throw error;
    const isSetting = row.needs.includes(key) || key in row.settings || key in row.settingVariables;
    const steps = isSetting ? ['settings', key] : key.split(/\.(.*)/s).filter(Boolean);
    // Nobody asked for it by name: a variable that happens to be set must not stop the gateway.
    if (path.length === 0) sources.findings.warning([], `${row.name} is left out: ${error.message}`);
    else sources.findings.problem([...path, ...steps], error.message);
    return undefined;
  }
}

function readKeys(row: ProviderRow, entry: Entry, path: Path, sources: ProviderSources): Secret[] | undefined {
  if (entry.api_key === undefined) return row.auth === 'none' ? [] : environmentKeys(row, path, sources);
  const written = typeof entry.api_key === 'string' ? [entry.api_key] : entry.api_key;
  return written.flatMap((text, index) => {
    const keyPath: Path = typeof entry.api_key === 'string' ? [...path, 'api_key'] : [...path, 'api_key', index];
    const key = sources.references.secret(text, keyPath);
    return key ? [key] : [];
  });
}

/** The key of the usual variable. An empty path: nobody asked for this provider, so that nothing is missed. */
function environmentKeys(row: ProviderRow, path: Path, sources: ProviderSources): Secret[] | undefined {
  const found = fromEnvironment(row, sources.environment);
  if (found.key) return [new SecretValue(found.key)];
  if (found.keyFile) {
    try {
      return [new SecretValue(sources.readFile(found.keyFile).trim())];
    } catch {
      const message = `cannot read ${found.keyFile}, which the environment names for ${row.name}`;
      if (path.length > 0 && !sources.lenient) sources.findings.problem(path, message);
      else sources.findings.warning(path, message);
      return undefined;
    }
  }
  if (path.length === 0) return undefined;
  // A server of one's own often wants no key; a public provider always does.
  if (row.keyVariables.length === 0 && row.keyFileVariables.length === 0) return [];
  const names = [...row.keyVariables, ...row.keyFileVariables].join(' or ');
  const message = `needs api_key, or ${names} in the environment`;
  if (sources.lenient) sources.findings.warning(path, message);
  else sources.findings.problem(path, message);
  return undefined;
}

/** Keys and prompts that would cross a public network readable. */
function warnOfHttp(written: string, path: Path, findings: Findings): void {
  const url = URL.parse(written);
  if (url?.protocol !== 'http:' || !url.hostname.includes('.')) return;
  if (/^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.64\.)/.test(url.hostname)) return;
  findings.warning([...path, 'base_url'], 'http: keys and prompts travel readable on the way to this host');
}

function readTimeouts(written: NonNullable<Entry['timeouts']>, path: Path, findings: Findings): Partial<Timeouts> {
  const names = { connect: 'connect', first_byte: 'firstByte', idle: 'idle', total: 'total' } as const;
  const timeouts: { -readonly [Name in keyof Timeouts]?: number } = {};
  for (const [key, name] of Object.entries(names) as [keyof typeof names, keyof Timeouts][]) {
    const text = written[key];
    if (text === undefined) continue;
    const ms = parseDuration(text);
    if (ms === undefined || ms > 86_400_000) findings.problem([...path, key], 'must be between 1ms and 24h');
    else timeouts[name] = ms;
  }
  return timeouts;
}
