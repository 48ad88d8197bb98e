import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputTokens, outputTokens } from '../exchange/usage.ts';
import { readCsv } from './csv.ts';
import { correctionOf, type DriftParts, driftOf, type OursLine, readStatement } from './drift.ts';
import { decimalToNano, StatementError } from './statement.ts';

const day = '2026-11-20';
const start = Date.parse(day) / 1000;
const page = (results: readonly object[], more: object = {}): string =>
  JSON.stringify({
    object: 'page',
    data: [{ object: 'bucket', start_time: start, end_time: start + 86_400, results }],
    has_more: false,
    next_page: null,
    ...more,
  });
const claudePage = (results: readonly object[]): string =>
  JSON.stringify({
    data: [{ starting_at: `${day}T00:00:00Z`, ending_at: '2026-11-21T00:00:00Z', results }],
    has_more: false,
    next_page: null,
  });

/** A token is a nano-dollar, so that sums can be read. */
const parts: DriftParts = {
  price: (_, usage) => inputTokens(usage) + outputTokens(usage),
  family: (model) => model.replace(/-20\d\d.*$/, ''),
};
const ours = (model: string, cost: number, more: Partial<OursLine> = {}): OursLine => ({
  day,
  model,
  requests: 1,
  cost,
  inputTokens: 0,
  outputTokens: 0,
  estimated: 0,
  ...more,
});

const exports: readonly [what: string, text: string, model: string, theirs: number][] = [
  [
    'the usage of OpenAI: what is cached is inside the input',
    page([
      {
        object: 'organization.usage.completions.result',
        input_tokens: 1000,
        input_cached_tokens: 800,
        input_audio_tokens: 10,
        output_tokens: 500,
        output_audio_tokens: 5,
        num_model_requests: 5,
        model: 'gpt-4o-2024-08-06',
        batch: false,
        service_tier: 'default',
      },
    ]),
    'gpt-4o-2024-08-06',
    1500,
  ],
  [
    'the costs of OpenAI, two line items of a model',
    page([
      {
        object: 'organization.costs.result',
        amount: { value: 0.06, currency: 'usd' },
        line_item: 'gpt-4o-2024-08-06, input',
      },
      {
        object: 'organization.costs.result',
        amount: { value: 0.1, currency: 'usd' },
        line_item: 'gpt-4o-2024-08-06, output',
      },
    ]),
    'gpt-4o-2024-08-06',
    160_000_000,
  ],
  [
    'the costs of OpenAI, not grouped',
    page([{ object: 'organization.costs.result', amount: { value: 0.06, currency: 'usd' }, line_item: null }]),
    '*',
    60_000_000,
  ],
  [
    'the usage of Anthropic: what is cached stands beside the input',
    claudePage([
      {
        uncached_input_tokens: 1500,
        cache_creation: { ephemeral_1h_input_tokens: 1000, ephemeral_5m_input_tokens: 500 },
        cache_read_input_tokens: 200,
        output_tokens: 500,
        server_tool_use: { web_search_requests: 10 },
        model: 'claude-sonnet-4-5-20250929',
        service_tier: 'standard',
        context_window: '0-200k',
      },
    ]),
    'claude-sonnet-4-5-20250929',
    3700,
  ],
  [
    'the costs of Anthropic, in cents as text',
    claudePage([
      {
        currency: 'USD',
        amount: '123.45678',
        cost_type: 'tokens',
        model: 'claude-opus-4-6',
        token_type: 'output_tokens',
      },
    ]),
    'claude-opus-4-6',
    1_234_567_800,
  ],
  ['a CSV of costs', '\ufeffDate,Model,Cost USD\r\n2026-11-20,"my, model",1.5\r\n', 'my, model', 1_500_000_000],
  ['a CSV of tokens', 'day,model,input_tokens,cached_input_tokens,output_tokens\n2026-11-20,m,100,20,3\n', 'm', 123],
];

for (const [what, text, model, theirs] of exports) {
  test(`reads ${what}`, () => {
    const [drift, ...more] = driftOf(readStatement(text), [], parts);
    assert.deepEqual(more, []);
    assert.deepEqual([drift?.day, drift?.model, drift?.theirs, drift?.ours], [day, model, theirs, 0]);
  });
}

const wrong: readonly [string, string, RegExp][] = [
  ['nothing', ' ', /empty/],
  ['cut off', page([]).slice(0, 50), /cut off/],
  [
    'one page of several',
    page([{ object: 'organization.costs.result', amount: { value: 1, currency: 'usd' } }], { has_more: true }),
    /one page of several/,
  ],
  [
    'another currency',
    page([{ object: 'organization.costs.result', amount: { value: 1, currency: 'eur' } }]),
    /not in USD/,
  ],
  ['usage that is not understood', page([{ object: 'organization.usage.images.result', images: 3 }]), /not understood/],
  ['no amount', page([{ object: 'organization.costs.result', amount: { value: null, currency: 'usd' } }]), /no number/],
  ['a CSV without a day', 'model,cost\nm,1\n', /no column day/],
  ['a CSV with a bad cost', 'day,cost\n2026-11-20,1e3\n', /line 2: the cost/],
  ['a CSV with a bad day', 'day,cost\n20.11.2026,1\n', /line 2: the day/],
];

for (const [what, text, why] of wrong) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => readStatement(text),
      (error) => error instanceof StatementError && why.test(error.message),
    );
  });
}

test('drift by day and model: names of one model together, ours without theirs, theirs without ours', () => {
  const bill = 'day,model,cost\n2026-11-20,gpt-4o-2024-08-06,0.000000100\n2026-11-20,gpt-9,0.000000007\n';
  const drifts = driftOf(
    readStatement(bill),
    [
      ours('gpt-4o', 70, { estimated: 20 }),
      ours('gpt-4o-2024-08-06', 10),
      ours('o3', 5),
      ours('o3', 500, { day: '2026-11-19' }),
    ],
    parts,
  );
  assert.deepEqual(
    drifts.map(({ model, ours: own, theirs, estimated }) => [model, own, theirs, estimated]),
    [
      ['gpt-4o', 80, 100, 20],
      ['gpt-9', 0, 7, 0],
      ['o3', 5, 0, 0],
    ],
  );
  const about = { provider: 'openai', checksum: 'c', kind: 'csv', at: 1 } as const;
  const rows = drifts.map((drift) => correctionOf(drift, about));
  assert.deepEqual(
    rows.map((row) => row?.amount),
    [20, 7, -5],
  );
  assert.equal(rows[0]?.id, 'reconcile:openai:2026-11-20:gpt-4o:c');
  assert.equal(correctionOf({ ...(drifts[0] as (typeof drifts)[0]), theirs: 80 }, about), undefined);
});

test('usage that has no price here is no zero', () => {
  const statement = readStatement('day,model,input_tokens\n2026-11-20,unheard,1\n');
  assert.throws(
    () => driftOf(statement, [], { ...parts, price: () => undefined }),
    /unheard on 2026-11-20 has no price/,
  );
});

test('amounts are read exactly, and rounded at the tenth decimal', () => {
  const cases: readonly [string, number, number | undefined][] = [
    ['1.5', 0, 1_500_000_000],
    ['-0.000000001', 0, -1],
    ['0.0000000005', 0, 1],
    ['0.0000000004', 0, 0],
    ['$1,234.5', 0, 1_234_500_000_000],
    ['0.01', 2, 100_000],
    ['1e-3', 0, undefined],
    ['', 0, undefined],
  ];
  for (const [text, shift, nano] of cases) assert.equal(decimalToNano(text, shift), nano, text);
});

test('CSV with quotes, doubled quotes and line ends inside', () => {
  assert.deepEqual(readCsv('a,"b ""c"", d"\r\n\r\n"e\nf",g'), [
    ['a', 'b "c", d'],
    ['e\nf', 'g'],
  ]);
});
