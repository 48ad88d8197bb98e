// The sections `budgets`, `limits` and `prices`: rules of the snapshot, every amount an exact integer.

import { parseUsd } from '../exchange/money.ts';
import type { BudgetRule, LimitRule, PriceRule } from '../exchange/policy.ts';
import type { Bucket } from '../exchange/usage.ts';
import type { Findings, Path } from './problems.ts';
import type { ConfigFile } from './schema.ts';
import { nearest } from './suggest.ts';
import { isTimeZone, parseInstant, parseShare, picoPerPiece, picoPerToken } from './units.ts';

/** What holds where nobody wrote a budget: a forgotten loop costs five dollars and not a month's wages. */
export const defaultBudgets: readonly BudgetRule[] = [
  { scope: 'global', limit: 5_000_000_000, per: 'day', timezone: 'UTC', alertAt: [] },
];

/** What each section counts by: a rule on any other scope would be believed in and never charged. */
const budgetScopes = ['global', 'key', 'model', 'provider'];
const limitScopes = ['global', 'key'];
const laterScopes = ['org', 'team', 'user', 'service', 'end_user', 'tag', 'run', 'model', 'provider'];

export function readBudgets(section: NonNullable<ConfigFile['budgets']>, findings: Findings): BudgetRule[] {
  const seen = new Set<string>();
  return section.map((entry, index) => {
    const path: Path = ['budgets', index];
    readScope(entry.scope, budgetScopes, path, findings);
    const limit = parseUsd(entry.limit);
    if (limit === undefined) {
      findings.problem(
        [...path, 'limit'],
        'must be an amount such as 20 USD, 0.50 USD or 20, at most 9007199 USD and 9 decimals',
      );
    }
    const timezone = entry.timezone ?? 'UTC';
    if (!isTimeZone(timezone)) findings.problem([...path, 'timezone'], 'must be an IANA zone such as Europe/Berlin');
    const alertAt = (entry.alert_at ?? []).map((share, position) => {
      const read = parseShare(share);
      if (read === undefined) findings.problem([...path, 'alert_at', position], 'must be a share such as 80% or 0.8');
      return read ?? 1;
    });
    const identity = `${entry.scope} ${entry.per} ${timezone}`;
    if (seen.has(identity)) findings.problem(path, `a second budget for ${entry.scope} per ${entry.per}`);
    seen.add(identity);
    return {
      scope: entry.scope,
      limit: limit ?? 0,
      per: entry.per,
      timezone,
      alertAt,
    };
  });
}

export function readLimits(section: NonNullable<ConfigFile['limits']>, findings: Findings): LimitRule[] {
  return section.map((entry, index) => {
    const path: Path = ['limits', index];
    readScope(entry.scope, limitScopes, path, findings);
    const { requests, tokens, concurrency } = entry;
    if (requests === undefined && tokens === undefined && concurrency === undefined) {
      findings.problem(path, 'limits nothing: give requests, tokens or concurrency');
    }
    return {
      scope: entry.scope,
      per: entry.per ?? 'minute',
      ...(requests === undefined ? {} : { requests }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(concurrency === undefined ? {} : { concurrency }),
    };
  });
}

function readScope(scope: string, kinds: readonly string[], path: Path, findings: Findings): void {
  const at: Path = [...path, 'scope'];
  const colon = scope.indexOf(':');
  const kind = colon < 0 ? scope : scope.slice(0, colon);
  const id = colon < 0 ? '' : scope.slice(colon + 1);
  if (!kinds.includes(kind)) {
    const known = `known here: ${kinds.join(', ')}`;
    if (laterScopes.includes(kind)) findings.problem(at, `${kind}: is not supported here by this version; ${known}`);
    else findings.problem(at, `unknown kind of scope; ${known}`, nearest(kind, kinds));
  } else if (kind === 'global') {
    if (colon >= 0) findings.problem(at, 'global stands alone');
  } else if (id === '' || /\s/.test(id)) {
    findings.problem(at, `must be ${kind}:NAME for one, or ${kind}:* for each one`);
  } else if (kind === 'model' && id !== '*' && !/^[^/]+\/.+$/.test(id)) {
    findings.problem(at, 'must be model:PROVIDER/MODEL, or model:* for each one');
  }
}

type PriceEntry = NonNullable<ConfigFile['prices']>[string];

const perMillion: Readonly<Partial<Record<keyof PriceEntry, Bucket>>> = {
  input: 'input',
  output: 'output',
  reasoning: 'reasoning',
  cache_read: 'cacheRead',
  cache_write_5m: 'cacheWrite5m',
  cache_write_1h: 'cacheWrite1h',
  input_image: 'inputImage',
  input_audio: 'inputAudio',
  output_audio: 'outputAudio',
  output_image: 'outputImage',
};
const perPiece: Readonly<Partial<Record<keyof PriceEntry, Bucket>>> = {
  web_search: 'webSearches',
  image: 'images',
  second: 'seconds',
};

export function readPrices(
  section: NonNullable<ConfigFile['prices']>,
  synonyms: ReadonlyMap<string, string>,
  findings: Findings,
): PriceRule[] {
  return Object.entries(section).map(([match, entry]) => {
    const path: Path = ['prices', match];
    const slash = match.indexOf('/');
    const named = match.slice(0, Math.max(0, slash));
    if (slash < 1 || slash === match.length - 1 || /\*./.test(match) || /\s/.test(match)) {
      findings.problem(path, 'must be provider/model, or provider/* or provider/prefix*');
    } else if (!synonyms.has(named)) {
      const suggestion = nearest(named, synonyms.keys());
      findings.warning(
        path,
        `no provider ${named} is configured, this price is idle${suggestion ? `; did you mean ${suggestion}?` : ''}`,
      );
    }
    const rates = readRates(entry, path, findings);
    const ways = [entry.free === true, entry.as !== undefined, Object.keys(rates).length > 0].filter(Boolean).length;
    if (ways !== 1)
      findings.problem(
        path,
        'must say exactly one of: free: true, as: provider/model, or prices such as input and output',
      );
    const from = entry.from === undefined ? undefined : parseInstant(entry.from);
    if (entry.from !== undefined && from === undefined)
      findings.problem([...path, 'from'], 'must be a day such as 2026-01-01');
    return {
      match: slash > 0 ? `${synonyms.get(named) ?? named}${match.slice(slash)}` : match,
      ...(entry.free === true ? { free: true } : {}),
      ...(entry.as === undefined ? {} : { as: entry.as }),
      ...(Object.keys(rates).length > 0 ? { rates } : {}),
      ...(from === undefined ? {} : { from }),
    };
  });
}

function readRates(entry: PriceEntry, path: Path, findings: Findings): Partial<Record<Bucket, number>> {
  const rates: Partial<Record<Bucket, number>> = {};
  const read = (table: typeof perMillion, convert: (usd: number) => number | undefined, finest: string) => {
    for (const [key, bucket] of Object.entries(table)) {
      const usd = entry[key as keyof PriceEntry];
      if (typeof usd !== 'number') continue;
      const pico = convert(usd);
      if (pico === undefined)
        findings.problem([...path, key], `must be an amount in USD with at most ${finest} decimals`);
      else rates[bucket] = pico;
    }
  };
  read(perMillion, picoPerToken, '6');
  read(perPiece, picoPerPiece, '12');
  if ((entry.input === undefined) !== (entry.output === undefined))
    findings.problem(path, 'needs input and output; 0 is an answer too');
  return rates;
}
