// What the configuration needs to know of the providers' table, which is handed in: rows, and what makes one ready.

import type { Format } from '../exchange/format.ts';
import type { ProviderRow } from '../exchange/provider-row.ts';
import type { Provider, Secret, Timeouts } from '../exchange/target.ts';

/** What the file or the environment adds to a row. */
export interface Configured {
  readonly keys: readonly Secret[];
  readonly trust: 'config';
  readonly baseUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts?: Partial<Timeouts>;
  readonly settings?: Readonly<Record<string, string>>;
}

export interface ProviderTable {
  readonly rows: readonly ProviderRow[];
  /** Throws an error with a `key` where the provider cannot be used as configured. */
  readonly readyProvider: (row: ProviderRow, configured: Configured) => Provider;
  /** The row of a provider that only the configuration knows. */
  readonly genericRow: (name: string, format: Format) => ProviderRow;
}

export function findRow(rows: readonly ProviderRow[], name: string): ProviderRow | undefined {
  return rows.find((row) => row.name === name || row.synonyms.includes(name));
}

/** The key and settings that the usual environment variables give a row. */
export function fromEnvironment(
  row: ProviderRow,
  environment: Readonly<Record<string, string | undefined>>,
): { key?: string; keyFile?: string; settings: Record<string, string> } {
  const firstSet = (names: readonly string[]) => names.map((name) => environment[name]?.trim()).find((value) => value);
  const key = firstSet(row.keyVariables);
  const keyFile = key ? undefined : firstSet(row.keyFileVariables);
  const settings: Record<string, string> = {};
  for (const [setting, names] of Object.entries(row.settingVariables)) {
    const value = firstSet(names);
    if (value) settings[setting] = value;
  }
  return { ...(key ? { key } : {}), ...(keyFile ? { keyFile } : {}), settings };
}
