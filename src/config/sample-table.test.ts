// A small providers' table for the tests of this folder: one row of each kind, in the shape of the real ones.

import type { ProviderRow } from '../exchange/provider-row.ts';
import type { Provider } from '../exchange/target.ts';
import type { Configured, ProviderTable } from './provider-table.ts';

function row(name: string, more: Partial<ProviderRow>): ProviderRow {
  return {
    name,
    synonyms: [],
    format: 'openai-chat',
    baseUrl: `https://api.${name}.example/v1`,
    auth: 'bearer',
    keyVariables: [`${name.toUpperCase()}_API_KEY`],
    keyFileVariables: [],
    settingVariables: {},
    needs: [],
    owns: [],
    catalogue: name,
    billing: { mode: 'strict', abortStops: true, lowWater: 64 },
    evidence: {},
    tier: 'verified',
    quirks: [],
    headers: {},
    settings: {},
    timeouts: {},
    ...more,
  };
}

export const sampleTable: ProviderTable = {
  rows: [
    row('openai', { owns: [/^gpt-/] }),
    row('anthropic', { format: 'anthropic-messages', auth: 'x-api-key' }),
    row('gemini', {
      format: 'gemini-generate',
      auth: 'x-goog-api-key',
      synonyms: ['google'],
      keyVariables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
    }),
    row('azure', { auth: 'api-key', needs: ['resource'], settingVariables: { resource: ['AZURE_RESOURCE'] } }),
    row('vertex', { auth: 'google-token', keyVariables: [], keyFileVariables: ['GOOGLE_APPLICATION_CREDENTIALS'] }),
    row('ollama', { auth: 'none', keyVariables: [], baseUrl: 'http://127.0.0.1:11434/v1' }),
    row('sim', { auth: 'none', keyVariables: [], baseUrl: 'sim:' }),
  ],
  genericRow: (name, format) => row(name, { format, keyVariables: [], catalogue: '', tier: 'community' }),
  readyProvider: (from, configured): Provider => {
    for (const need of from.needs) {
      if (configured.settings?.[need] === undefined)
        throw Object.assign(new Error(`${from.name} needs \`${need}\``), { key: need });
    }
    return ready(from, configured);
  },
};

function ready(from: ProviderRow, configured: Configured): Provider {
  return {
    name: from.name,
    format: from.format,
    baseUrl: configured.baseUrl ?? from.baseUrl,
    auth: from.auth,
    keys: configured.keys,
    headers: { ...from.headers, ...configured.headers },
    catalogue: from.catalogue,
    billing: from.billing,
    tier: from.tier,
    quirks: from.quirks,
    owns: from.owns,
    trust: configured.trust,
    timeouts: { connect: 5000, firstByte: 120000, idle: 120000, total: 1800000, ...configured.timeouts },
    settings: { ...from.settings, ...configured.settings },
  };
}
