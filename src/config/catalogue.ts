// The price catalogue: a feed compiled to integers one model at a time, under our overlay.
// Measured on two shared cores: import and first look-up 45 ms (34 with the compile cache), a new model 0.25 ms, a known one
// 0.1 µs; compiling everything at start would add the new-model price 1,400 times over.

import type { Catalogue, Rate } from '../exchange/rate.ts';
import { compileRows, type DatedRate, rateAt } from './catalogue-row.ts';
import type { Feed, FeedModel, FeedProvider, Match } from './feed.ts';
import { overlayVersion, simModels, simRate } from './overlay.ts';
import { packagedFeed, packageVersion } from './packaged.ts';

export { packageVersion } from './packaged.ts';

/** Client text reaches the package's patterns: nothing longer than this is a model name. */
const modelLengthMax = 200;

/** Names come from clients, so the memory of answers is dropped whole at this number. */
const rememberedMax = 4096;

/** Matches a compact date inside a model name; the package spells some of them with dashes and asks twice. */
const compactDate = /-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)/g;

/** Prices that can also be looked at row by row, as a comparison of two does. */
export interface FeedCatalogue extends Catalogue {
  rows(provider: string, model: string): readonly DatedRate[] | undefined;
  /** The id of the row that prices a name. */
  rowOf(provider: string, model: string): string | undefined;
}

/** What the package brings. */
export function loadCatalogue(): FeedCatalogue {
  return createCatalogue(packagedFeed(), `genai-prices@${packageVersion}`);
}

/** `source` names the feed in the version that every charge stores. */
export function createCatalogue(feed: Feed, source: string): FeedCatalogue {
  const byId = new Map(feed.map((row) => [row.id, row]));
  const remembered = new Map<string, readonly DatedRate[] | undefined>();
  const simRates = new Map<string, Rate>();
  const version = `${source}+${overlayVersion}`;

  const rowsOf = (provider: string, model: string): readonly DatedRate[] | undefined => {
    const key = `${provider}\n${model}`;
    if (remembered.has(key)) return remembered.get(key);
    if (remembered.size >= rememberedMax) remembered.clear();
    const found = findModel(byId, provider, model);
    const rows = found && compileRows(provider, found, version);
    remembered.set(key, rows);
    return rows;
  };

  const simRateOf = (model: string): Rate => {
    const name = simModels.includes(model) ? model : '';
    const rate = simRates.get(name) ?? simRate(name);
    simRates.set(name, rate);
    return rate;
  };

  return {
    version,
    rows: (provider, model) => (provider === '' || model.length > modelLengthMax ? undefined : rowsOf(provider, model)),
    rowOf: (provider, model) => findModel(byId, provider, model)?.id,
    find(provider, model, at) {
      if (provider === 'sim') return simRateOf(model);
      if (provider === '' || model === '' || model.length > modelLengthMax) return undefined;
      const rows = rowsOf(provider, model);
      return rows && rateAt(rows, at);
    },
    models(provider) {
      if (provider === 'sim') return simModels;
      const row = byId.get(provider);
      // What is tuned has names of its own, of which the feed has the beginning alone: nobody can ask for that.
      const named = row?.models.filter(
        ({ id, deprecated }) => !deprecated && !id.startsWith('ft:') && !id.endsWith('-'),
      );
      return named?.map(({ id }) => id) ?? [];
    },
  };
}

/** The feed's documented rules: the provider's rows in order, then the providers it resells, then the name with dashed dates. */
function findModel(byId: ReadonlyMap<string, FeedProvider>, id: string, name: string): FeedModel | undefined {
  const row = byId.get(id);
  if (!row) return undefined;
  const dashed = name.replace(compactDate, '-$1-$2-$3');
  for (const candidate of dashed === name ? [name] : [name, dashed]) {
    for (const each of [id, ...(row.fallback_model_providers ?? [])]) {
      const model = byId.get(each)?.models.find((info) => matches(info.match, candidate));
      if (model) return model;
    }
  }
  return undefined;
}

function matches(rule: Match, name: string): boolean {
  const lower = name.toLowerCase();
  if ('equals' in rule) return lower === rule.equals.toLowerCase();
  if ('starts_with' in rule) return lower.startsWith(rule.starts_with.toLowerCase());
  if ('ends_with' in rule) return lower.endsWith(rule.ends_with.toLowerCase());
  if ('contains' in rule) return lower.includes(rule.contains.toLowerCase());
  if ('regex' in rule) return new RegExp(rule.regex).test(name);
  if ('or' in rule) return rule.or.some((each) => matches(each, name));
  return rule.and.every((each) => matches(each, name));
}
