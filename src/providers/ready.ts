// Merges a row of the table with what the configuration says into a provider ready for use.

import type { Format } from '../exchange/format.ts';
import type { ProviderRow } from '../exchange/provider-row.ts';
import type { Auth, Provider, Secret, Timeouts } from '../exchange/target.ts';
import { defaultTimeouts } from './default-timeouts.ts';

/** What a configuration may say of a provider; the row fills the rest. */
export interface ConfiguredProvider {
  /** Under which name it is known, where that is not the row's (`eu-openai`). */
  readonly name?: string;
  /** For `google-token`: the whole content of the credential file, or nothing for the metadata server. */
  readonly keys?: readonly Secret[];
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts?: Partial<Timeouts>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly catalogue?: string;
  /** Who named the address; `config` where unset. */
  readonly trust?: Provider['trust'];
}

/** A provider that cannot be used as configured. `key` is the configuration's key at fault. */
export class ProviderProblem extends Error {
  readonly key: string;
  constructor(key: string, message: string) {
    super(message);
    this.key = key;
  }
}

const genericAuth: Readonly<Record<Format, Auth>> = {
  'openai-chat': 'bearer',
  'anthropic-messages': 'x-api-key',
  'gemini-generate': 'x-goog-api-key',
};

/** The row of a provider that only the configuration knows: its format, a base URL, and careful assumptions. */
export function genericRow(name: string, format: Format): ProviderRow {
  return {
    name,
    synonyms: [],
    format,
    baseUrl: '',
    auth: genericAuth[format],
    keyVariables: [],
    keyFileVariables: [],
    settingVariables: {},
    needs: [],
    owns: [],
    catalogue: '',
    billing: { mode: 'bounded', abortStops: false, lowWater: 128 },
    tier: 'community',
    quirks: [],
    evidence: {},
    headers: format === 'anthropic-messages' ? { 'anthropic-version': '2023-06-01' } : {},
    settings: {},
    timeouts: {},
  };
}

/** Throws `ProviderProblem`. */
export function readyProvider(row: ProviderRow, configured: ConfiguredProvider = {}): Provider {
  const keys = configured.keys ?? [];
  const settings: Record<string, string> = { ...row.settings, ...configured.settings };
  if (row.auth === 'google-token' && settings.project === undefined) {
    const project = projectOf(keys[0]);
    if (project !== undefined) settings.project = project;
  }
  for (const need of row.needs) {
    if (settings[need] || (need === 'endpoint' && configured.baseUrl)) continue;
    const variables = row.settingVariables[need] ?? [];
    const hint = variables.length > 0 ? ` (or set ${variables.join(' or ')})` : '';
    throw new ProviderProblem(need, `${row.name} needs \`${need}\`${hint}`);
  }
  return {
    name: configured.name ?? row.name,
    format: row.format,
    baseUrl: checkBaseUrl(configured.baseUrl ?? fill(row.baseUrl, settings)),
    auth: authOf(row, keys),
    keys,
    headers: { ...row.headers, ...checkHeaders(configured.headers ?? {}) },
    catalogue: configured.catalogue ?? row.catalogue,
    billing: row.billing,
    tier: row.tier,
    quirks: row.quirks,
    owns: row.owns,
    trust: configured.trust ?? 'config',
    timeouts: { ...defaultTimeouts, ...row.timeouts, ...configured.timeouts },
    settings,
  };
}

/** A local server that was started with a key takes it as a bearer token; a key that nothing would send is not ignored. */
function authOf(row: ProviderRow, keys: readonly Secret[]): Auth {
  for (const key of keys) {
    if (row.auth !== 'google-token' && !/^[\x21-\x7e]+$/.test(key.reveal()))
      throw new ProviderProblem(
        'api_key',
        `a key of ${row.name} is empty or holds blanks or characters no header can carry`,
      );
  }
  return row.auth === 'none' && keys.length > 0 ? 'bearer' : row.auth;
}

function fill(template: string, settings: Readonly<Record<string, string>>): string {
  // The global location has no prefix: its host is the bare one.
  const whole = settings.location === 'global' ? template.replace('{location}-', '') : template;
  return whole.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = settings[name] ?? '';
    if (name !== 'endpoint' && !/^[\w.-]+$/.test(value))
      throw new ProviderProblem(name, `\`${name}\` may hold letters, digits, dots and dashes only`);
    return value;
  });
}

function checkBaseUrl(text: string): string {
  if (text === 'sim:') return text;
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new ProviderProblem('base_url', 'must be an address such as https://api.example.com/v1');
  if (url.username || url.password) throw new ProviderProblem('base_url', 'must not hold credentials: use api_key');
  if (url.search || url.hash) throw new ProviderProblem('base_url', 'must not hold a query or a fragment');
  return url.href.replace(/\/+$/, '');
}

/** What the gateway writes itself, or what would let a request be read in two ways. */
const reserved =
  /^(?:host|connection|content-length|content-type|transfer-encoding|accept-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*)$/;

function checkHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    const key = `headers.${name}`;
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new ProviderProblem(key, 'is not a header name');
    if (reserved.test(lower)) throw new ProviderProblem(key, 'is a header that the gateway itself writes');
    if (!/^[\x20-\x7e]*$/.test(value)) throw new ProviderProblem(key, 'holds characters that a header cannot carry');
    checked[lower] = value;
  }
  return checked;
}

function projectOf(credential: Secret | undefined): string | undefined {
  if (!credential) return undefined;
  try {
    const project: unknown = (JSON.parse(credential.reveal()) as Record<string, unknown>).project_id;
    return typeof project === 'string' ? project : undefined;
  } catch {
    throw new ProviderProblem('api_key', 'must be the JSON content of a Google service account file');
  }
}
