// The policy of the simulated worlds: two providers that fail, aliases over them, budgets that bite.

import type { BudgetRule, Snapshot } from '../src/exchange/policy.ts';
import { type Provider, Secret } from '../src/exchange/target.ts';
import type { Chance } from './chance.ts';

const timeouts = { connect: 2_000, firstByte: 40_000, idle: 30_000, total: 120_000 };

function provider(name: string, format: Provider['format'], auth: Provider['auth']): Provider {
  return {
    name,
    format,
    baseUrl: `https://${name}.example`,
    auth,
    keys: [new Secret(`upstream-key-of-${name}`)],
    headers: {},
    catalogue: '',
    billing: { mode: 'strict', abortStops: true, lowWater: 64 },
    tier: 'community',
    quirks: [],
    owns: [],
    trust: 'config',
    timeouts,
    settings: {},
  };
}

/** Budgets from tiny to ample, so that some worlds cut and others never do. */
export function drawPolicy(chance: Chance): Snapshot {
  const one = provider('one', 'openai-chat', 'bearer');
  const two = provider('two', 'anthropic-messages', 'x-api-key');
  const budget = (scope: string, limit: number): BudgetRule => ({
    scope,
    limit,
    per: 'day',
    timezone: 'UTC',
    alertAt: [],
  });
  const target = (which: Provider) => ({ provider: which, model: 'm', timeouts, weight: 1 });
  return {
    version: 'simulated',
    providers: new Map([one, two].map((each) => [each.name, each])),
    synonyms: new Map([
      ['one', 'one'],
      ['two', 'two'],
    ]),
    aliases: new Map([['both', { name: 'both', targets: [target(one), target(two)], strategy: 'failover' }]]),
    budgets: [
      budget('global', chance.pick([60_000_000, 500_000_000, 5_000_000_000])),
      budget('key:*', chance.pick([12_000_000, 50_000_000, 1_000_000_000])),
    ],
    limits: [],
    prices: [
      { match: 'one/*', rates: { input: 2_500_000, output: 10_000_000 } },
      { match: 'two/*', rates: { input: 3_000_000, output: 15_000_000 } },
    ],
  };
}
