// What the gateway would do and whether it can: models, configuration, prices, the state of its providers.

import type { Alias, Snapshot } from '../exchange/policy.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Provider } from '../exchange/target.ts';
import type { AdminParts, AdminRate } from './parts.ts';
import { ok, type Route } from './route.ts';

export const policyRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/models',
    access: 'admin',
    summary: 'Aliases with their targets, and the providers',
    answers: '{ aliases: [{ name, strategy, targets }], providers: [{ name, format, tier, up, … }] }',
    handle: (_, parts) => {
      const snapshot = parts.snapshot();
      return ok({ aliases: [...snapshot.aliases.values()].map(shownAlias), providers: shownProviders(parts) });
    },
  },
  {
    method: 'GET',
    path: '/admin/config',
    access: 'admin',
    summary: 'The configuration in force, without secrets; what a file declares is read-only here',
    answers: '{ version, source, read_only, declared, warnings }',
    handle: (_, parts) => {
      const { declared, warnings } = parts.config();
      const { version } = parts.snapshot();
      return ok({
        version,
        source: version === 'default' ? 'defaults' : 'file',
        read_only: true,
        declared,
        warnings: warnings.map((warning) => warning.message),
      });
    },
  },
  {
    method: 'GET',
    path: '/admin/prices',
    access: 'admin',
    summary: 'What a model costs now, at each of its targets',
    query: { model: 'An alias, provider/model, or a bare name (required)' },
    answers: '{ model, targets: [{ provider, model, known, source, tiers }] }',
    handle: (ask, parts) => {
      const asked = ask.query.get('model');
      if (!asked) throw new Refusal('invalid_request', 'Name a model: ?model=openai/gpt-4o', { param: 'model' });
      const targets = targetsOf(asked, parts.snapshot());
      if (targets.length === 0) {
        const remedy = parts.remedy(asked);
        const message = `No configured provider has ${JSON.stringify(asked.slice(0, 200))}`;
        throw new Refusal('unknown_model', `${message}${remedy && `: ${remedy}`}.`);
      }
      const rules = parts.snapshot().prices;
      const at = parts.clock.now();
      return ok({
        model: asked,
        targets: targets.map((target) => shownPrice(target, parts.prices.rate(target, rules, at))),
      });
    },
  },
  {
    method: 'GET',
    path: '/admin/doctor',
    access: 'admin',
    summary: 'Whether everything that is needed to serve is in place',
    answers: '{ ready, reasons, version, node, config, providers }',
    handle: (_, parts) => {
      const reasons = parts.notReady();
      return ok({
        ready: reasons.length === 0,
        reasons,
        version: parts.about.version,
        node: parts.about.node,
        config: parts.snapshot().version,
        warnings: parts.config().warnings.map((warning) => warning.message),
        providers: shownProviders(parts),
      });
    },
  },
];

function shownAlias(alias: Alias): Record<string, unknown> {
  return {
    name: alias.name,
    strategy: alias.strategy,
    targets: alias.targets.map((target) => ({
      model: `${target.provider.name}/${target.model}`,
      weight: target.weight,
      timeout_ms: target.timeouts.total,
    })),
  };
}

function shownProviders(parts: AdminParts): Record<string, unknown>[] {
  const health = new Map(parts.health().map((entry) => [entry.provider, entry.up]));
  return [...parts.snapshot().providers.values()].map((provider) => ({
    name: provider.name,
    format: provider.format,
    base_url: provider.baseUrl,
    keys: provider.keys.length,
    tier: provider.tier,
    billing: provider.billing.mode,
    up: health.get(provider.name) ?? true,
  }));
}

interface Named {
  readonly provider: Provider;
  readonly model: string;
}

function targetsOf(asked: string, snapshot: Snapshot): readonly Named[] {
  const alias = snapshot.aliases.get(asked);
  if (alias) return alias.targets;
  const slash = asked.indexOf('/');
  const named = slash > 0 ? snapshot.providers.get(snapshot.synonyms.get(asked.slice(0, slash)) ?? '') : undefined;
  if (named) return [{ provider: named, model: asked.slice(slash + 1) }];
  const owner = [...snapshot.providers.values()].find((provider) => provider.owns.some((form) => form.test(asked)));
  return owner ? [{ provider: owner, model: asked }] : [];
}

const pieces = new Set(['webSearches', 'images', 'seconds']);

export function shownPrice(target: Named, rate: AdminRate | undefined): Record<string, unknown> {
  const name = `${target.provider.name}/${target.model}`;
  const head = { provider: target.provider.name, model: target.model };
  if (!rate) return { ...head, known: false, fix: `prices: { ${JSON.stringify(name)}: { input: …, output: … } }` };
  if (rate.free) return { ...head, known: true, source: rate.version, free: true, tiers: [] };
  return {
    ...head,
    known: true,
    source: rate.version,
    free: false,
    long_context: rate.longContext,
    tiers: rate.tiers.map((tier) => ({
      above_input_tokens: tier.above,
      usd_per_million_tokens: amounts(tier.prices, (bucket) => !pieces.has(bucket), 6),
      usd_per_piece: amounts(tier.prices, (bucket) => pieces.has(bucket), 12),
    })),
    services: Object.keys(rate.services),
  };
}

/** Decimal text from the integer: a float division would show 0.30000000000000004. */
function amounts(
  prices: AdminRate['tiers'][number]['prices'],
  wanted: (bucket: string) => boolean,
  digits: number,
): Record<string, number> {
  const shown: Record<string, number> = {};
  for (const [bucket, pico] of Object.entries(prices)) {
    if (!wanted(bucket)) continue;
    const name = bucket.replace(/[A-Z]|5m|1h/g, (part) => `_${part.toLowerCase()}`);
    const text = String(pico).padStart(digits + 1, '0');
    shown[name] = Number(`${text.slice(0, -digits)}.${text.slice(-digits)}`);
  }
  return shown;
}
