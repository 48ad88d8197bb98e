// Each mistake that a file can have, with the line that is told of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lines } from './sample-load.test.ts';

test('every problem names its line and key, and the word that was meant', () => {
  const table: [string, string[]][] = [
    [
      'providers:\n  openai:\n    api_ky: env:X\n',
      ['f:3: providers.openai.api_ky: unknown key; did you mean api_key?'],
    ],
    [
      'providers:\n  opnai: {}\n',
      [
        'f:2: providers.opnai: not a provider that Tollgate knows; to declare one of your own, add format and base_url; did you mean openai?',
      ],
    ],
    ['budget: []\n', ['f:1: budget: unknown key; did you mean budgets?']],
    [
      'budgets:\n  - { scope: global, limit: 5 EUR, per: day }\n',
      ['f:2: budgets[0].limit: must be an amount such as 20 USD, 0.50 USD or 20, at most 9007199 USD and 9 decimals'],
    ],
    [
      'budgets:\n  - scope: global\n    limit: 5\n',
      ['f:2: budgets[0].per: must be one of minute, hour, day, week, month, lifetime'],
    ],
    [
      'budgets:\n  - { scope: kee:*, limit: 5, per: day }\n',
      [
        'f:2: budgets[0].scope: unknown kind of scope; known: global, org, team, user, service, key, end_user, tag, run, model, provider; did you mean key?',
      ],
    ],
    [
      'budgets:\n  - { scope: team, limit: 5, per: day }\n',
      ['f:2: budgets[0].scope: must be team:NAME for one, or team:* for each one'],
    ],
    [
      'budgets:\n  - { scope: "tag:team", limit: 5, per: day }\n',
      ['f:2: budgets[0].scope: must be tag:NAME=VALUE, or tag:NAME=* for each value'],
    ],
    [
      'limits:\n  - { scope: "model:gpt-4o", requests: 5 }\n',
      ['f:2: limits[0].scope: must be model:PROVIDER/MODEL, or model:* for each one'],
    ],
    [
      'budgets:\n  - { scope: global, limit: 5, per: day, on_exhausted: stop }\n',
      ['f:2: budgets[0].on_exhausted: must be one of error, finish'],
    ],
    [
      'models:\n  a: { targets: [openai/x, gpt-4o] }\n',
      ['f:2: models.a.targets[1]: write it as provider/model, for example openai/gpt-4o'],
    ],
    [
      'models:\n  a:\n    targets:\n      - antropic/x\n',
      ['f:4: models.a.targets[0]: there is no provider antropic; did you mean anthropic?'],
    ],
    [
      'models:\n  a: { targets: [google/x] }\n',
      ['f:2: models.a.targets[0]: the provider google has no key here: set GEMINI_API_KEY'],
    ],
    [
      'models:\n  a: { targets: [sim/sim-small] }\n',
      [
        'f:2: models.a.targets[0]: with a file the built-in provider is off until it is named: add providers: { sim: {} }',
      ],
    ],
    [
      'providers: { openai: {} }\nmodels:\n  a: { targets: [anthropic/x] }\n',
      ['f:3: models.a.targets[0]: the provider anthropic is not in the providers section; add it there'],
    ],
    [
      'models:\n  a: { targets: [openai/x], quality: high }\n',
      ['f:2: models.a.quality: quality is not supported by this version'],
    ],
    [
      'rules: []\ncache: {}\n',
      [
        'f:1: rules: rules are not supported by this version; use models and allowed models of keys',
        'f:2: cache: a cache is not supported by this version; every request reaches its provider',
      ],
    ],
    [
      'storage: { url: "mysql://x/y" }\n',
      ['f:1: storage.url: must be sqlite:PATH, such as sqlite:./data/tollgate.db, or postgres://USER@HOST/DATABASE'],
    ],
    ['listen:\n  port: "80"\n', ['f:2: listen.port: must be a number']],
    [
      'a: &a 1\nb:\n  c: x\n  d: *nope\n',
      ['f:4: *nope names no anchor above it: write &nope before the value that is meant'],
    ],
    [
      'a: *later\nb: &later 1\nc: [*later, *none]\n',
      [
        'f:1: *later names no anchor above it: write &later before the value that is meant',
        'f:3: *none names no anchor above it: write &none before the value that is meant',
      ],
    ],
    ['a: 1\nb: 2\n---\nc: 3\n', ['f:3: a second document begins here; the file must hold one']],
    [
      'providers:\n  openai: &a { free: true }\n  anthropic:\n    <<: *a\n',
      ['f:4: merging with << is not supported; write the keys out, or give the whole value by its alias'],
    ],
    ['models: { "<<": openai/x }\nbudgetz: []\n', ['f:2: budgetz: unknown key; did you mean budgets?']],
    ['listen: { port: 80 }\nlisten: { port: 81 }\n', ['f:2: Map keys must be unique']],
    ['- a\n', ['f:1: the file must hold keys such as `providers:` and `budgets:`']],
    ['providers:\n  openai: { timeouts: { idle: 30 } }\n', ['f:2: providers.openai.timeouts.idle: must be a string']],
    [
      'providers:\n  openai: { timeouts: { idle: "30" } }\n',
      ['f:2: providers.openai.timeouts.idle: write a duration with its unit: 500ms, 30s, 2m, 1h'],
    ],
    ['prices:\n  "openai/x": { input: 1 }\n', ['f:2: prices."openai/x": needs input and output; 0 is an answer too']],
    [
      'prices:\n  "openai/x": { free: true, as: openai/y }\n',
      [
        'f:2: prices."openai/x": must say exactly one of: free: true, as: provider/model, or prices such as input and output',
      ],
    ],
    [
      'prices:\n  "openai/x": { input: 0.0000001, output: 1 }\n',
      ['f:2: prices."openai/x".input: must be an amount in USD with at most 6 decimals'],
    ],
    [
      'limits:\n  - { scope: global }\nprices:\n  "openai/x": { input: 1 }\nbudgets:\n  - { scope: team, limit: 5, per: day }\n',
      [
        'f:2: limits[0]: limits nothing: give requests, tokens or concurrency',
        'f:4: prices."openai/x": needs input and output; 0 is an answer too',
        'f:6: budgets[0].scope: must be team:NAME for one, or team:* for each one',
      ],
    ],
    ['listen: { port: 70000 }\n', ['f:1: listen.port: must be at most 65535']],
    [
      'listen: { port: 1.5, host: "" }\n',
      ['f:1: listen.port: must be a whole number', 'f:1: listen.host: must not be empty'],
    ],
    ['workers: 0\n', ['f:1: workers: must be at least 1']],
    ['models: { a: { targets: [] } }\n', ['f:1: models.a.targets: must not be empty']],
    [
      'providers:\n  openai: { owns: ["a b"] }\n',
      ['f:2: providers.openai.owns[0]: a model name, or the start of one and *'],
    ],
    ['budgets: { a: 1 }\n', ['f:1: budgets: must be a list']],
    ['models:\n  a: 5\n', ['f:2: models.a: must be a mapping of keys or a string']],
    ['limits:\n  - { scope: global }\n', ['f:2: limits[0]: limits nothing: give requests, tokens or concurrency']],
  ];
  for (const [text, expected] of table) assert.deepEqual(lines(text), expected, text);
});
