import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../config/config.ts';
import { ConfigError } from '../config/problems.ts';
import type { ProviderTable } from '../config/provider-table.ts';
import { genericRow, readyProvider } from '../providers/ready.ts';
import { rows } from '../providers/table.ts';

const table: ProviderTable = { rows, readyProvider, genericRow };

function load(text: string | undefined, environment: Record<string, string>) {
  const readFile = () => {
    throw new Error('nothing to read');
  };
  return loadConfig({ ...(text === undefined ? {} : { text }), environment, readFile, table }).snapshot;
}

test('the shipped table: the usual variables make providers, the built-in one stands beside them', () => {
  const usual = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'DEEPSEEK_API_KEY', 'XAI_API_KEY'];
  const { providers, synonyms } = load(undefined, Object.fromEntries(usual.map((name) => [name, 'k'])));
  for (const name of ['openai', 'anthropic', 'gemini', 'deepseek', 'xai', 'sim']) assert.ok(providers.has(name), name);
  assert.equal(synonyms.get('google'), 'gemini');
  assert.deepEqual([...load(undefined, {}).providers.keys()], ['sim']);
});

test('what a row cannot live with names the line and key', () => {
  const refused = (text: string) => {
    try {
      load(text, {});
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.problems.map((problem) => `${problem.line} ${problem.key}`);
    }
    return [];
  };
  assert.deepEqual(refused('providers:\n  openai: { api_key: a, base_url: "ftp://x" }\n'), [
    '2 providers.openai.base_url',
  ]);
  assert.deepEqual(refused('providers:\n  openai: { api_key: a, headers: { host: x } }\n'), [
    '2 providers.openai.headers.host',
  ]);
  assert.deepEqual(refused('providers:\n  openai: { api_key: "a b" }\n'), ['2 providers.openai.api_key']);
  assert.equal(
    refused('providers:\n  eu: { format: openai-chat, base_url: "https://x.example/v1", api_key: a }\n').length,
    0,
  );
});
