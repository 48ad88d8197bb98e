// The section `prices`: rules of the snapshot, every amount an exact integer.

import type { PriceRule } from '../exchange/policy.ts';
import type { Bucket } from '../exchange/usage.ts';
import { asStepsMax, wayOf } from '../price/price.ts';
import type { Findings, Path } from './problems.ts';
import type { ConfigFile } from './schema.ts';
import { nearest } from './suggest.ts';
import { parseInstant, parseMultiple, picoPerPiece, picoPerToken, suspiciousPrice } from './units.ts';

type PriceEntry = NonNullable<ConfigFile['prices']>[string];

const perMillion: Readonly<Partial<Record<keyof PriceEntry, Bucket>>> = {
  input: 'input',
  output: 'output',
  reasoning: 'reasoning',
  cache_read: 'cacheRead',
  cache_read_audio: 'cacheReadAudio',
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
  const rules = Object.entries(section).map(([match, entry]): PriceRule => {
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
    const fees = readFees(entry, path, findings);
    const services = readServices(entry, path, findings);
    const priced = [rates, fees, services].some((each) => Object.keys(each).length > 0);
    const ways = [entry.free === true, entry.as !== undefined, priced].filter(Boolean).length;
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
      ...(Object.keys(fees).length > 0 ? { fees } : {}),
      ...(Object.keys(services).length > 0 ? { services } : {}),
      ...(from === undefined ? {} : { from }),
    };
  });
  refuseCircles(section, rules, findings);
  return rules;
}

/** What is priced as itself has no price, which would show with the first request. */
function refuseCircles(
  section: NonNullable<ConfigFile['prices']>,
  rules: readonly PriceRule[],
  findings: Findings,
): void {
  for (const [index, match] of Object.keys(section).entries()) {
    const rule = rules[index];
    const way = rule ? [rule.match, ...wayOf(rule, rules)] : [];
    if (way.length <= asStepsMax + 1 && new Set(way).size === way.length) continue;
    const again = way.findIndex((name, place) => way.indexOf(name) < place);
    const why = again < 0 ? `leads on more than ${asStepsMax} times` : 'goes in a circle';
    findings.problem(
      ['prices', match, 'as'],
      `${why}: ${way.slice(0, again < 0 ? way.length : again + 1).join(' > ')}`,
    );
  }
}

function readRates(entry: PriceEntry, path: Path, findings: Findings): Partial<Record<Bucket, number>> {
  const rates: Partial<Record<Bucket, number>> = {};
  const read = (table: typeof perMillion, convert: (usd: number) => number | undefined, of: 'token' | 'piece') => {
    for (const [key, bucket] of Object.entries(table)) {
      const usd = entry[key as keyof PriceEntry];
      if (typeof usd !== 'number') continue;
      const pico = convert(usd);
      if (pico === undefined)
        findings.problem([...path, key], `must be an amount in USD with at most ${of === 'token' ? 6 : 12} decimals`);
      else {
        refuseSlip(pico, of, entry, [...path, key], findings);
        rates[bucket] = pico;
      }
    }
  };
  read(perMillion, picoPerToken, 'token');
  read(perPiece, picoPerPiece, 'piece');
  if ((entry.input === undefined) !== (entry.output === undefined))
    findings.problem(path, 'needs input and output; 0 is an answer too');
  return rates;
}

/** A price per token written as one per million locks everybody out; one the other way round bills next to nothing. */
function refuseSlip(pico: number, of: 'token' | 'piece', entry: PriceEntry, at: Path, findings: Findings): void {
  const why = suspiciousPrice(pico, of);
  if (why && entry.force !== true) findings.problem(at, `${why}; if it is meant, write force: true beside it`);
}

function readFees(entry: PriceEntry, path: Path, findings: Findings): Record<string, number> {
  const fees: Record<string, number> = {};
  for (const [name, usd] of Object.entries(entry.tools ?? {})) {
    const pico = picoPerPiece(usd);
    if (pico === undefined)
      findings.problem([...path, 'tools', name], 'must be an amount in USD with at most 12 decimals');
    else {
      refuseSlip(pico, 'piece', entry, [...path, 'tools', name], findings);
      fees[name] = pico;
    }
  }
  return fees;
}

function readServices(entry: PriceEntry, path: Path, findings: Findings): Record<string, readonly [number, number]> {
  const services: Record<string, readonly [number, number]> = {};
  for (const [name, written] of Object.entries(entry.services ?? {})) {
    const share = parseMultiple(written);
    if (share) services[name] = share;
    else findings.problem([...path, 'services', name], 'must be a share of the token prices such as 50%, 175% or 1.75');
  }
  return services;
}
