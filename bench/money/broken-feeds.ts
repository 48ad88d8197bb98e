// Price feeds as they go wrong: each must be refused, and none may price anything.

import { packagedFeed } from '../../src/config/packaged.ts';

interface Model {
  id: string;
  match: unknown;
  prices: unknown;
}
interface Row {
  id: string;
  models: Model[];
}

/** A copy to break. */
export function feedCopy(): Row[] {
  return structuredClone(packagedFeed()) as unknown as Row[];
}

function broken(change: (rows: Row[]) => unknown): string {
  const rows = feedCopy();
  const changed = change(rows);
  return JSON.stringify(Array.isArray(changed) ? changed : rows);
}

function openai(rows: Row[]): Row {
  const row = rows.find(({ id }) => id === 'openai');
  if (!row) throw new Error('the packaged feed has openai');
  return row;
}

function gpt4o(rows: Row[]): Model {
  const model = openai(rows).models.find(({ id }) => id === 'gpt-4o');
  if (!model) throw new Error('the packaged feed has gpt-4o');
  return model;
}

function priced(prices: unknown): string {
  return broken((rows) => Object.assign(gpt4o(rows), { prices }));
}

function matched(match: unknown): string {
  return broken((rows) => Object.assign(gpt4o(rows), { match }));
}

const whole = (): string => JSON.stringify(packagedFeed());

/** By what is wrong with it: a text that can never be taken. */
export const unreadable: Readonly<Record<string, () => string>> = {
  empty: () => '',
  blank: () => ' \n',
  'cut in the middle': () => whole().slice(0, 200_000),
  'cut at the last bracket': () => whole().slice(0, -1),
  'a stray brace': () => whole().replace('},{', '},{{'),
  'a page of HTML': () => '<!doctype html><title>404</title>',
  'an object': () => '{"error":"not found"}',
  'no providers': () => '[]',
  null: () => 'null',
  'providers without models': () => broken((rows) => rows.map(({ id }) => ({ id }))),
  'models without prices': () =>
    broken((rows) => rows.map((row) => ({ ...row, models: row.models.map(({ id, match }) => ({ id, match })) }))),
  'every price list empty': () =>
    broken((rows) => rows.map((row) => ({ ...row, models: row.models.map((model) => ({ ...model, prices: {} })) }))),
  'a price as text': () => priced({ input_mtok: '2.5', output_mtok: 10 }),
  'a negative price': () => priced({ input_mtok: -2.5, output_mtok: 10 }),
  'a price without a number': () => priced({ input_mtok: null, output_mtok: 10 }),
  'a price per token': () => priced({ input_mtok: 2.5e6, output_mtok: 1e7 }),
  'prices per token where millions are meant': () => priced({ input_mtok: 0.0000025, output_mtok: 0.00001 }),
  'a tier of another shape': () => priced({ input_mtok: { base: 2.5, tiers: 'none' }, output_mtok: 10 }),
  'a date that is none': () => priced([{ constraint: { start_date: 'soon' }, prices: { input_mtok: 1 } }]),
  'a match of another shape': () => matched({ like: 'gpt' }),
  'a pattern that could run for ever': () => matched({ regex: '^(a+)+$' }),
  'a pattern that is none': () => matched({ regex: '(' }),
  'a provider twice': () => broken((rows) => [...rows, openai(rows)]),
  'a model twice': () => broken((rows) => void openai(rows).models.push(gpt4o(rows))),
  'a thousand copies': () =>
    broken((rows) => Array.from({ length: 1001 }, (_, index) => ({ ...openai(rows), id: `p${index}` }))),
};

/** Readable, and wanting a word of the operator that nobody gave. */
export const doubtful: Readonly<Record<string, () => string>> = {
  'a price that is 0': () => priced({ input_mtok: 0, output_mtok: 0 }),
  'one half of a price that is 0': () => priced({ input_mtok: 2.5, output_mtok: 0 }),
  'a price that is gone': () => priced({}),
  'ten times the price': () => priced({ input_mtok: 25, output_mtok: 100 }),
  'a tenth of the price': () => priced({ input_mtok: 0.25, output_mtok: 1 }),
  'a jump that begins tomorrow': () =>
    broken((rows) => {
      const model = gpt4o(rows);
      const prices = { input_mtok: 250, output_mtok: 1000 };
      model.prices = [{ prices: model.prices }, { constraint: { start_date: '2099-01-01' }, prices }];
    }),
  'a row in front that takes the name over': () =>
    broken(
      (rows) =>
        void openai(rows).models.unshift({
          id: 'gpt-anything',
          match: { starts_with: 'gpt-4' },
          prices: { input_mtok: 0.01, output_mtok: 0.01 },
        }),
    ),
  'a provider missing': () => broken((rows) => rows.filter(({ id }) => id !== 'openai')),
  'half of the models missing': () => broken((rows) => void openai(rows).models.splice(0, 40)),
};
