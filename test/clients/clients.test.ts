// Clients × provider formats × scenarios: real libraries, a real gateway process, a real server behind it.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { aiSdkDriver } from './ai-sdk.ts';
import { anthropicDriver } from './anthropic.ts';
import type { MakeDriver } from './driver.ts';
import { googleDriver } from './google.ts';
import { langchainDriver } from './langchain.ts';
import { openaiDriver } from './openai.ts';
import type { Place, Target } from './place.ts';
import { type Provider, startProvider } from './provider.ts';
import { scenarios } from './scenarios.ts';

const clients: Readonly<Record<string, MakeDriver>> = {
  openai: openaiDriver,
  '@anthropic-ai/sdk': anthropicDriver,
  '@google/genai': googleDriver,
  ai: aiSdkDriver,
  '@langchain/openai': langchainDriver,
};

const tries: Readonly<Record<string, Place['tries']>> = {
  openai: 'told',
  '@anthropic-ai/sdk': 'told',
  '@google/genai': 'never',
};

const targets: readonly Target[] = [
  { format: 'openai-chat', model: 'gpt-4o', price: { input: 2.5, output: 10 }, poorModel: 'gpt-4o-mini' },
  {
    format: 'anthropic-messages',
    model: 'claude-sonnet-4-5',
    price: { input: 3, output: 15 },
    poorModel: 'claude-haiku-4-5',
  },
  {
    format: 'gemini-generate',
    model: 'gemini-2.5-flash',
    price: { input: 0.3, output: 2.5 },
    poorModel: 'gemini-2.5-flash-lite',
  },
];

interface Exception {
  readonly client: string;
  readonly scenario: RegExp;
  readonly format?: Target['format'];
  readonly reason: string;
}

/** What cannot be, and why. Each is run as well, and must fail: a row that excuses nothing is itself a failure. */
const exceptions: readonly Exception[] = [
  {
    client: 'ai',
    scenario: /proof there and back/,
    format: 'openai-chat',
    reason: 'the library reads thoughts but forgets reasoning_details, so that no proof of them can return',
  },
  {
    client: 'ai',
    scenario: /proof there and back/,
    format: 'anthropic-messages',
    reason: 'the library keeps a proof only on a tool call (Gemini), not that of a thinking block',
  },
  {
    client: '@langchain/openai',
    scenario: /proof there and back/,
    reason: 'ChatOpenAI drops every field of an assistant message that OpenAI itself does not take back',
  },
];

let gateway: GatewayProcess;
let provider: Provider;

before(async () => {
  provider = await startProvider();
  // Who leaves is hung up on at once here; that a provider which bills on is heard out has tests of its own.
  const common = { api_key: 'sk-provider', billing: { abort_stops: true } };
  const poor = ['openai/gpt-4o-mini', 'anthropic/claude-haiku-4-5', 'gemini/gemini-2.5-flash-lite'];
  gateway = await startGateway({
    config: {
      providers: {
        openai: { ...common, base_url: `${provider.url}/v1` },
        anthropic: { ...common, base_url: provider.url },
        gemini: { ...common, base_url: provider.url },
      },
      budgets: poor.map((name) => ({ scope: `model:${name}`, limit: '0.000000001', per: 'lifetime' })),
    },
  });
});
after(async () => {
  await gateway.close();
  await provider.close();
});

for (const [client, make] of Object.entries(clients)) {
  for (const target of targets) {
    describe(`${client} with ${target.format}`, () => {
      for (const scenario of scenarios) {
        if (scenario.once && target !== targets[0]) continue;
        const exception = exceptionFor(client, target.format, scenario.name);
        it(scenario.name, async (cell) => {
          const run = () =>
            scenario.run({ driver: make(gateway), provider, target, answered, tries: tries[client] ?? 'alone' });
          if (!exception) return run();
          cell.diagnostic(`exception: ${client} with ${target.format}, ${scenario.name}: ${exception.reason}`);
          await assert.rejects(run(), assert.AssertionError, 'no longer an exception');
        });
      }
    });
  }
}

function exceptionFor(client: string, format: Target['format'], scenario: string): Exception | undefined {
  return exceptions.find(
    (each) => each.client === client && (each.format ?? format) === format && each.scenario.test(scenario),
  );
}

/** Requests that the gateway has answered so far, refused ones among them. */
async function answered(): Promise<number> {
  const response = await fetch(`${gateway.url}/metrics`, {
    headers: { authorization: `Bearer ${gateway.adminToken}` },
  });
  const counters = (await response.text()).matchAll(/^llm_proxy_request_total\{[^}]*\} (\d+)$/gm);
  return [...counters].reduce((sum, [, count]) => sum + Number(count), 0);
}
