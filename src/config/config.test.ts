import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { environment, lines, load } from './sample-load.test.ts';

test('without a file: providers of the environment, the built-in one, five dollars a day', () => {
  const { snapshot, settings } = load(undefined);
  assert.deepEqual([...snapshot.providers.keys()], ['openai', 'anthropic', 'sim']);
  assert.equal(snapshot.version, 'default');
  assert.deepEqual(snapshot.budgets, [
    { scope: 'global', limit: 5_000_000_000, per: 'day', timezone: 'UTC', alertAt: [] },
  ]);
  assert.deepEqual(settings.listen, { host: '127.0.0.1', port: 8080 });
  assert.equal(settings.sim, true);
  assert.equal(settings.defaultBudget, true);
  assert.deepEqual(settings.storage, { kind: 'sqlite', file: './data/tollgate.db' });
  assert.deepEqual(settings.journal, { durability: 'page-cache', segmentBytes: 64_000_000, keepMs: 30 * 86_400_000 });
  assert.equal(settings.admin.enabled, true);
});

test('the journal: how durable, how large a file, how long it is kept', () => {
  const { settings } = load('journal: { durability: full, segment_bytes: 8MiB, keep: 7d }\n');
  assert.deepEqual(settings.journal, { durability: 'full', segmentBytes: 8_388_608, keepMs: 7 * 86_400_000 });
  assert.deepEqual(lines('journal: { segment_bytes: 64KB, keep: 10m }\n'), [
    'f:1: journal.segment_bytes: must be a size from 1MB to 1GB, such as 64MB',
    'f:1: journal.keep: must be an hour at least, such as 30d',
  ]);
});

test('with a file that does not name it, the built-in provider is off; the default budget stays until one is written', () => {
  const { snapshot, settings } = load('listen: { port: 9000 }\n');
  assert.deepEqual([...snapshot.providers.keys()], ['openai', 'anthropic']);
  assert.equal(settings.sim, false);
  assert.equal(settings.listen.port, 9000);
  assert.equal(snapshot.budgets.length, 1);
  assert.equal(load('budgets: []').snapshot.budgets.length, 0);
  assert.equal(load('providers: { sim: {} }').settings.sim, true);
  assert.deepEqual([...load('').snapshot.providers.keys()], ['openai', 'anthropic']);
});

const whole = `
listen: { host: 0.0.0.0, port: 8081 }
storage: { url: "sqlite:./here/t.db" }
metrics: open
providers:
  openai: { api_key: [env:OPENAI_API_KEY, "env:SECOND"], timeouts: { first_byte: 30s, total: 2m } }
  google: { api_key: env:G }
  eu-openai: { format: openai-chat, base_url: "https://eu.example.com/v1", api_key: file:/run/secrets/eu, headers: { x-team: search }, owns: ["eu-*"] }
  ollama: { free: true }
models:
  gpt-4o: { targets: [openai/gpt-4o, eu-openai/gpt-4o], strategy: failover }
  chat:
    strategy: weighted
    targets:
      - { model: google/gemini-2.5-flash, weight: 3, timeout: 20s }
      - openai/gpt-4o-mini
  one: ollama/org/model:7b
budgets:
  - { scope: global, limit: 500 USD, per: month, timezone: Europe/Berlin, alert_at: [50%, 0.8] }
  - { scope: "key:*", limit: 0.01, per: day }
limits:
  - { scope: "key:*", requests: 600, tokens: 200000, concurrency: 50 }
prices:
  "google/x*": { as: openai/gpt-4o }
  "eu-openai/x": { input: 2.50, output: 10, cache_read: 0.25, from: 2026-01-01 }
`;

test('a whole file becomes the snapshot it says', () => {
  const { snapshot, settings, warnings, filesRead } = load(whole, {
    environment: { ...environment, SECOND: 'sk-2', G: 'g' },
  });
  assert.deepEqual([...snapshot.providers.keys()], ['openai', 'gemini', 'eu-openai', 'ollama']);
  assert.equal(snapshot.synonyms.get('google'), 'gemini');
  const openai = snapshot.providers.get('openai');
  assert.deepEqual(
    openai?.keys.map((key) => key.reveal()),
    ['sk-openai', 'sk-2'],
  );
  assert.deepEqual(openai?.timeouts, { connect: 5000, firstByte: 30_000, idle: 120_000, total: 120_000 });
  const eu = snapshot.providers.get('eu-openai');
  assert.equal(eu?.baseUrl, 'https://eu.example.com/v1');
  assert.equal(eu?.keys[0]?.reveal(), 'sk-from-file');
  assert.deepEqual(eu?.headers, { 'x-team': 'search' });
  assert.ok(eu?.owns[0]?.test('eu-large') && !eu.owns[0].test('my-eu-large'));
  const chat = snapshot.aliases.get('chat');
  assert.deepEqual(
    chat?.targets.map((target) => [target.provider.name, target.model, target.weight, target.timeouts.total]),
    [
      ['gemini', 'gemini-2.5-flash', 3, 20_000],
      ['openai', 'gpt-4o-mini', 1, 120_000],
    ],
  );
  assert.equal(snapshot.aliases.get('one')?.targets[0]?.model, 'org/model:7b');
  assert.deepEqual(snapshot.budgets[0], {
    scope: 'global',
    limit: 500_000_000_000,
    per: 'month',
    timezone: 'Europe/Berlin',
    alertAt: [0.5, 0.8],
  });
  assert.equal(snapshot.budgets[1]?.limit, 10_000_000);
  assert.deepEqual(snapshot.limits, [
    { scope: 'key:*', per: 'minute', requests: 600, tokens: 200000, concurrency: 50 },
  ]);
  assert.deepEqual(snapshot.prices, [
    { match: 'gemini/x*', as: 'openai/gpt-4o' },
    {
      match: 'eu-openai/x',
      rates: { input: 2_500_000, output: 10_000_000, cacheRead: 250_000 },
      from: Date.UTC(2026, 0, 1),
    },
    { match: 'ollama/*', free: true },
  ]);
  assert.deepEqual(settings.storage, { kind: 'sqlite', file: './here/t.db' });
  assert.deepEqual(warnings, []);
  assert.deepEqual(filesRead, ['/run/secrets/eu']);
});

test('budgets and limits take every kind of scope, and a budget may be soft', () => {
  const scopes = [
    'global',
    'org:a',
    'team:*',
    'user:ann@a.com',
    'service:ci@a.com',
    'key:k1',
    'end_user:*',
    'tag:team=*',
  ];
  for (const scope of [...scopes, 'run:*', 'model:openai/*', 'provider:openai']) {
    const { snapshot } = load(
      `budgets: [{ scope: "${scope}", limit: 5, per: day, soft: true }]\nlimits: [{ scope: "${scope}", requests: 5 }]\n`,
    );
    assert.deepEqual(snapshot.budgets, [
      { scope, limit: 5_000_000_000, per: 'day', timezone: 'UTC', alertAt: [], soft: true },
    ]);
    assert.equal(snapshot.limits[0]?.scope, scope);
  }
});

test('JSON is read as well', () => {
  const { snapshot } = load('{\n\t"models": {"a": {"targets": ["openai/gpt-4o"]}}\n}');
  assert.equal(snapshot.aliases.get('a')?.targets[0]?.model, 'gpt-4o');
  assert.deepEqual(lines('{\n  "modles": {}\n}'), ['f:2: modles: unknown key; did you mean models?']);
});

test('storage: a file, or a PostgreSQL whose password is shown nowhere', () => {
  const storage = (url: string, environment: Record<string, string> = {}) => {
    const loaded = load(`storage: { url: "${url}" }\n`, { environment });
    const { storage: place } = loaded.settings;
    return { loaded, address: place.kind === 'postgres' ? place.url.reveal() : place.file };
  };
  const url = 'postgres://ann:secret@db.example.com:5433/tollgate?sslmode=verify-full&password=secret';
  for (const { loaded, address } of [storage(url), storage('env:STORE', { STORE: url })]) {
    assert.equal(address, url);
    assert.ok(!JSON.stringify([loaded.declared, loaded.settings, loaded.warnings]).includes('secret@'));
    assert.ok(!JSON.stringify([loaded.declared, loaded.settings, loaded.warnings]).includes('=secret'));
  }
  assert.match(storage(url).loaded.warnings[0]?.message ?? '', /a password stands in the file itself/);
  assert.deepEqual(storage('env:STORE', { STORE: url }).loaded.warnings, []);
  assert.equal(storage('sqlite:///var/lib/t.db').address, '/var/lib/t.db');
  assert.deepEqual(lines('storage: { url: "env:NOPE" }\n'), [
    'f:1: storage.url: the environment variable NOPE is not set',
  ]);
});

test('references: environment, files below the named directories, nothing else', () => {
  const one = (key: string) => lines(`providers:\n  openai: { api_key: "${key}" }\n`);
  assert.deepEqual(one('env:OPENAI_API_KEY'), []);
  assert.deepEqual(one('env:NOPE'), ['f:2: providers.openai.api_key: the environment variable NOPE is not set']);
  assert.deepEqual(one('file:/run/secrets/eu'), []);
  assert.deepEqual(one('file:/run/secrets/none'), [
    'f:2: providers.openai.api_key: cannot read /run/secrets/none (ENOENT)',
  ]);
  for (const outside of [
    'file:/etc/shadow',
    'file:/run/secrets/../../etc/shadow',
    'file:../shadow',
    'file:/run/secretsX',
  ]) {
    assert.match(
      one(outside)[0] ?? '',
      /outside the directories that file: may read .* to allow it: files: \[/,
      outside,
    );
  }
  assert.match(
    one('secret:gcp:projects/p')[0] ?? '',
    /secret: references are not supported .* env:NAME and file:\/path only/,
  );
  assert.deepEqual(
    lines('files: [/keys]\nproviders:\n  openai: { api_key: file:/keys/a }\n', { readFile: () => 'k' }),
    [],
  );
  const literal = load('providers:\n  openai: { api_key: sk-literal }\n');
  assert.match(literal.warnings[0]?.message ?? '', /a key stands in the file itself/);
  assert.equal(JSON.stringify(literal.declared), '{"providers":{"openai":{"api_key":"[hidden]"}}}');
  assert.ok(!JSON.stringify(literal).includes('sk-literal'));
});

test('a key that reads as the name of a variable is warned of with the reference that was meant', () => {
  const meant = (name: string) =>
    `this reads as the name of a variable and is sent as the key itself; did you mean env:${name}?`;
  const literal = 'a key stands in the file itself; env:NAME or file:/path keeps it out of backups and commits';
  for (const [written, expected] of [
    ['$OPENAI_API_KEY', meant('OPENAI_API_KEY')],
    [`\${X}`, meant('X')],
    [`\${X:-}`, literal],
    ['OPENAI_API_KEY', meant('OPENAI_API_KEY')],
    ['MY_KEY_2', meant('MY_KEY_2')],
    // Not told from a key: what is not surely a name is not repeated.
    ['AKIAIOSFODNN7EXAMPLE', literal],
    ['AB3_9XK', literal],
    ['OPENAI', literal],
    ['sk-literal', literal],
  ] as const) {
    const { warnings } = load(`providers:\n  openai: { api_key: "${written}" }\n`);
    assert.deepEqual(
      warnings.map(({ line, message }) => [line, message]),
      [[2, expected]],
      written,
    );
  }
});

test('a check without the secrets warns where a gateway would refuse', () => {
  const { warnings } = load('providers:\n  openai: { api_key: env:NOPE }\n  anthropic: {}\n', {
    lenient: true,
    environment: {},
  });
  assert.deepEqual(
    warnings.map((warning) => warning.message),
    ['the environment variable NOPE is not set', 'needs api_key, or ANTHROPIC_API_KEY in the environment'],
  );
});

test('addresses: the environment wins, control plane off beyond loopback until asked for', () => {
  const settings = (text: string | undefined, more: Record<string, string> = {}) =>
    load(text, { environment: { ...environment, ...more } }).settings;
  assert.deepEqual(settings('listen: { port: 1 }', { PORT: '90', HOST: '0.0.0.0' }).listen, {
    host: '0.0.0.0',
    port: 90,
  });
  assert.equal(settings(undefined, { HOST: '0.0.0.0' }).admin.enabled, false);
  assert.equal(settings(undefined, { HOST: '0.0.0.0' }).metrics, 'off');
  assert.equal(settings('metrics: open', { HOST: '0.0.0.0' }).metrics, 'open');
  const moved = settings('listen: { host: 0.0.0.0 }\nadmin: { listen: "127.0.0.1:8081" }');
  assert.deepEqual(moved.admin, { enabled: true, listen: { host: '127.0.0.1', port: 8081 } });
  assert.deepEqual(settings(undefined, { TOLLGATE_DATA: '/var/t/' }).storage, {
    kind: 'sqlite',
    file: '/var/t/tollgate.db',
  });
  assert.deepEqual(lines('', { environment: { PORT: 'http' } }), [
    'tollgate: PORT (or --port) must be a number from 0 to 65535, and is "http"',
  ]);
  assert.deepEqual(lines('', { environment: { LOG_LEVEL: 'warning' } }), [
    'tollgate: LOG_LEVEL must be one of debug, info, warn, error; did you mean warn?',
  ]);
});

test('providers that need more than a key say what', () => {
  assert.deepEqual(lines('providers:\n  azure: { api_key: env:OPENAI_API_KEY }\n'), [
    'f:2: providers.azure.settings.resource: azure needs `resource`',
  ]);
  assert.deepEqual(
    [...load(undefined, { environment: { AZURE_API_KEY: 'k', AZURE_RESOURCE: 'r' } }).snapshot.providers.keys()],
    ['azure', 'sim'],
  );
  const vertex = load(undefined, {
    environment: { GOOGLE_APPLICATION_CREDENTIALS: '/c.json' },
    readFile: () => '{"type": "service_account"}\n',
  }).snapshot.providers.get('vertex');
  assert.equal(vertex?.keys[0]?.reveal(), '{"type": "service_account"}');
});

test('an alias bomb is refused in one line', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
    .split('')
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`)
    .join('\n')}`;
  assert.equal(lines(bomb).length, 1);
});

test('what docs/budgets.md shows in YAML is a configuration', () => {
  const text = readFileSync(resolve(import.meta.dirname, '..', '..', 'docs', 'budgets.md'), 'utf8');
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => load(block ?? ''));
  assert.deepEqual(
    blocks.map(({ snapshot }) => [snapshot.budgets.length, snapshot.limits.length]),
    [
      [8, 0],
      [1, 4],
    ],
  );
});
