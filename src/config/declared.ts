// What the file declares, fit to be shown: references stay as they are written, values that may be secrets do not.

import { isReference } from './references.ts';
import type { ConfigFile } from './schema.ts';

export function declaredValues(file: ConfigFile): Readonly<Record<string, unknown>> {
  const { $schema: _, providers, storage, ...plain } = file;
  const rest = { ...plain, ...(storage ? { storage: { ...storage, ...hiddenUrl(storage.url) } } : {}) };
  if (!providers) return rest;
  const shown: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(providers)) {
    const { api_key: key, headers, settings, ...open } = entry ?? {};
    shown[name] = {
      ...open,
      ...(key === undefined ? {} : { api_key: typeof key === 'string' ? hidden(key) : key.map(hidden) }),
      ...(headers ? { headers: hiddenValues(headers) } : {}),
      ...(settings ? { settings: hiddenValues(settings) } : {}),
    };
  }
  return { ...rest, providers: shown };
}

/** Without the password that it may hold. */
function hiddenUrl(url: string | undefined): { url?: string } {
  if (url === undefined) return {};
  return { url: /^postgres/.test(url) ? url.replace(/\/\/[^/?#]*@/, '//[hidden]@').replace(/\?.*$/, '') : url };
}

function hidden(value: string | number): string {
  return typeof value === 'string' && isReference(value) ? value : '[hidden]';
}

function hiddenValues(values: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, hidden(value)]));
}
