// The price catalogue: what is in force, what another one would change, and putting it in force once that was confirmed.

import { z } from 'zod';
import type { Difference, PriceChange } from '../config/catalogue-difference.ts';
import { FeedError, feedMaxBytes, feedUrl } from '../config/feed.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { AdminParts } from './parts.ts';
import { shownPrice } from './policy.ts';
import { ok, type Route } from './route.ts';
import { instant } from './show.ts';

const wanted = z.strictObject({
  feed: z.string().optional().describe('The text of a price feed, as the genai-prices project publishes it.'),
  from: z.string().optional().describe(`An https address to fetch it from; ${feedUrl}.`),
  name: z.string().max(300).optional().describe('Where the text comes from, for the record.'),
  apply: z.boolean().optional().describe('Put it in force; without it only the difference is shown.'),
  checksum: z.string().optional().describe('Of the difference that was looked at: another feed is not applied.'),
  jumps: z.array(z.string()).optional().describe('Models whose jump in price is confirmed, or "all".'),
  missing: z.array(z.string()).optional().describe('Providers and models whose loss is confirmed, or "all".'),
  force: z.boolean().optional().describe('Take prices above 10000 USD per million tokens as well.'),
});

export const catalogueRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/catalogue',
    access: 'admin',
    summary: 'The price catalogue in force, and what it has for the providers that are configured',
    query: { provider: 'A configured provider: its models and what each costs now' },
    answers:
      '{ version, source, applied_at, checksum, problem, providers: [{ name, models }] }; with provider models: [{ model, known, tiers, … }]',
    handle: (ask, parts) => {
      const name = ask.query.get('provider');
      return ok({ ...shownState(parts), ...(name === null ? shownProviders(parts) : shownModels(parts, name)) });
    },
  },
  {
    method: 'POST',
    path: '/admin/catalogue',
    access: 'admin',
    summary: 'What another price catalogue would change, and its update',
    body: wanted,
    // A feed is text inside JSON, where every quote takes two bytes.
    bodyMaxBytes: 2 * feedMaxBytes,
    status: 200,
    answers: '{ applied, checksum, models, added, removed, changed, jumps, missing, catalogue }',
    handle: async (ask, parts) => {
      const body = ask.body as z.infer<typeof wanted>;
      const { catalogue } = parts;
      const source = body.feed === undefined ? (body.from ?? feedUrl) : (body.name ?? 'upload');
      const force = body.force === true;
      const proposal = await refusing(
        async () => catalogue.propose(body.feed ?? (await catalogue.fetch(source)), force),
        parts,
        source,
      );
      if (body.checksum !== undefined && body.checksum !== proposal.checksum) {
        throw new Refusal('invalid_request', 'This is not the feed whose difference was shown; look at it again.', {
          param: 'checksum',
        });
      }
      const open = unconfirmed(proposal.difference, body.jumps ?? [], body.missing ?? []);
      const apply = body.apply === true;
      if (apply && open.length > 0) throw new Refusal('invalid_request', `Nothing is changed. ${open.join(' ')}`);
      if (apply) catalogue.apply(proposal, source, force);
      return ok(
        {
          applied: apply,
          checksum: proposal.checksum,
          ...shownDifference(proposal.difference),
          catalogue: shownState(parts),
        },
        200,
      );
    },
  },
];

/** A feed that cannot be taken is told to who asked and to who reads the log; what is in force stays. */
async function refusing<Value>(work: () => Promise<Value>, parts: AdminParts, source: string): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    const { version } = parts.catalogue.state();
    parts.log.error('catalogue_refused', { source, reason: error.message, kept: version });
    throw new Refusal('invalid_request', `The price feed is refused: ${error.message}. ${version} stays in force.`);
  }
}

function unconfirmed(difference: Difference, jumps: readonly string[], missing: readonly string[]): string[] {
  const left = (names: readonly string[], confirmed: readonly string[]): string =>
    confirmed.includes('all') ? '' : names.filter((name) => !confirmed.includes(name)).join(', ');
  const [jumping, lost] = [left(difference.jumps, jumps), left(difference.missing, missing)];
  return [
    ...(jumping ? [`Prices jump five-fold or vanish, confirm them by name: ${jumping}.`] : []),
    ...(lost ? [`Models that were priced are missing, confirm it by name: ${lost}.`] : []),
  ];
}

function shownProviders({ prices, snapshot }: AdminParts): Record<string, unknown> {
  const all = [...snapshot().providers.values()];
  return { providers: all.map(({ name, catalogue }) => ({ name, models: prices.models(catalogue).length })) };
}

/** As requests are priced: by the operator's rules first. */
function shownModels({ prices, snapshot, clock, remedy }: AdminParts, name: string): Record<string, unknown> {
  const { providers, synonyms, prices: rules } = snapshot();
  const provider = providers.get(synonyms.get(name) ?? name);
  if (!provider) {
    const cure = remedy(name) || `those that are: ${[...providers.keys()].join(', ')}`;
    throw new Refusal('invalid_request', `No provider ${JSON.stringify(name.slice(0, 80))} is configured; ${cure}.`, {
      param: 'provider',
    });
  }
  const at = clock.now();
  const models = prices.models(provider.catalogue).toSorted();
  return {
    models: models.map((model) => shownPrice({ provider, model }, prices.rate({ provider, model }, rules, at))),
  };
}

function shownState({ catalogue }: AdminParts): Record<string, unknown> {
  const { version, source, appliedAt, checksum, problem } = catalogue.state();
  return {
    version,
    source,
    applied_at: instant(appliedAt) ?? null,
    checksum: checksum ?? null,
    problem: problem ?? null,
  };
}

function shownDifference({ models, added, removed, changed, jumps, missing }: Difference): Record<string, unknown> {
  return { models, added, removed, changed: changed.map(shownChange), jumps, missing };
}

/** Tokens by the million, everything else by the piece, in USD. */
function shownChange({ name, price, above, from, to, starts }: PriceChange): Record<string, unknown> {
  const piece = /^(fee:|request$|webSearches$|images$|seconds$)/.test(price);
  const usd = (pico: number | undefined): number | null => (pico === undefined ? null : pico / (piece ? 1e12 : 1e6));
  return {
    model: name,
    price: price.replace(/[A-Z]|5m|1h/g, (part) => `_${part.toLowerCase()}`),
    unit: piece ? 'USD' : 'USD per million tokens',
    above_input_tokens: above,
    from: usd(from),
    to: usd(to),
    starts: instant(starts) ?? null,
  };
}
