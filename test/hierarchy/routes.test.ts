// Generated from the route table: whatever reaches a provider is paid for, and nothing that was set aside is left behind.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { matchSurface, routes } from '../../src/listen/surfaces.ts';
import { providerOf, requestOf } from '../faults/kit.ts';
import { type Bench, startBench } from './kit.ts';

let bench: Bench;

before(async () => {
  bench = await startBench({ budgets: [{ scope: 'global', limit: '50 USD', per: 'lifetime' }] });
  await bench.admin('POST', '/admin/units', { kind: 'team', id: 'search' });
  await bench.admin('POST', '/admin/budgets', { scope: 'team:search', limit: 50, per: 'lifetime' });
});
after(() => bench.close());

interface Call {
  readonly name: string;
  send(key: string, model: string, signal?: AbortSignal): Promise<Response>;
}

/** Every way to a provider, streamed and not; the model is one of the scripted provider of the route's own format. */
const calls: Call[] = routes
  .filter(({ kind }) => kind !== 'models' && kind !== 'budget')
  .flatMap(({ method, path }) =>
    [false, true].flatMap((stream): Call[] => {
      const surface = matchSurface(method, path.replace('{model}', 'm'))?.surface;
      assert.ok(surface, path);
      // Where the path says whether it streams, the body cannot say otherwise.
      if (surface.stream !== undefined && surface.stream !== stream) return [];
      const { format } = surface;
      return [
        {
          name: `${method} ${path}${stream ? ' as a stream' : ''}`,
          send(key, model, signal) {
            const named = `${providerOf[format]}/${model}`;
            return fetch(bench.gateway.url + path.replace('{model}', encodeURIComponent(named)), {
              method,
              headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
              body: requestOf(format, named, stream).body,
              ...(signal ? { signal } : {}),
            });
          },
        },
      ];
    }),
  );

interface Account {
  readonly scope: string;
  readonly held: number;
  readonly posted: number;
}

interface Books {
  readonly receipts: readonly { id: string; cost_nano_usd: number; attempts: number; key_id: string }[];
  readonly accounts: readonly Account[];
}

async function books(): Promise<Books> {
  const { data } = await bench.admin<{ data: Books['receipts'] }>('GET', '/admin/requests?limit=1000');
  const { data: accounts } = await bench.admin<{ data: Account[] }>('GET', '/admin/budgets');
  return { receipts: data, accounts };
}

test('A8: an exhausted key is refused on every route that can reach a provider', async () => {
  assert.ok(calls.length >= 12, 'the route table is not empty');
  const { key } = await bench.key({ name: 'spent', budget: { limit: 0, per: 'lifetime' } });
  for (const { name, send } of calls) {
    const answer = await send(key, 'ok');
    assert.equal(answer.status, 402, name);
    assert.equal(answer.headers.get('x-should-retry'), 'false', name);
    await answer.arrayBuffer();
  }
  for (const { method, path } of routes.filter(({ kind }) => kind === 'models' || kind === 'budget')) {
    const answer = await fetch(bench.gateway.url + path, { method, headers: { authorization: `Bearer ${key}` } });
    // A question is free, of a model that there is not too.
    assert.equal(answer.status, path.includes('{model}') ? 404 : 200, path);
    await answer.arrayBuffer();
  }
  assert.equal(bench.upstream.calls.length, 0);
});

test('A9: one call on each route is one call upstream and one charged row each', async () => {
  const { id, key } = await bench.key({ name: 'each' });
  const called = bench.upstream.calls.length;
  for (const { name, send } of calls) {
    const answer = await send(key, 'ok');
    assert.equal(answer.status, 200, name);
    await answer.arrayBuffer();
  }
  assert.equal(bench.upstream.calls.length - called, calls.length);
  const { receipts } = await books();
  const own = receipts.filter(({ key_id }) => key_id === id);
  assert.equal(own.length, calls.length);
  for (const receipt of own) assert.deepEqual([receipt.attempts, receipt.cost_nano_usd > 0], [1, true], receipt.id);
});

test('B3 and B4: however calls end, on every route, nothing stays set aside and the counters are the ledger', async () => {
  const { id, key } = await bench.key({ name: 'mixed', owner: 'team:search' });
  const made = await bench.admin('POST', '/admin/budgets', { scope: `key:${id}`, limit: 50, per: 'lifetime' });
  const endings: Record<string, (call: Call) => Promise<unknown>> = {
    success: ({ send }) => send(key, 'ok').then((answer) => answer.arrayBuffer()),
    '4xx': ({ send }) => send(key, 'status-400').then((answer) => answer.arrayBuffer()),
    '5xx': ({ send }) => send(key, 'status-500').then((answer) => answer.arrayBuffer()),
    timeout: ({ send }) => send(key, 'never').then((answer) => answer.arrayBuffer()),
    'broken off': ({ send }) => send(key, 'close-late').then((answer) => answer.text()),
    abort: async ({ send }) => {
      const controller = new AbortController();
      const seen = bench.upstream.calls.length;
      const answer = send(key, 'never', controller.signal).catch(() => undefined);
      while (bench.upstream.calls.length === seen) await new Promise((settle) => setImmediate(settle));
      controller.abort();
      await answer;
    },
  };
  const { abort, ...others } = endings;
  const thrice = Object.values(others).flatMap((play) => [play, play, play]);
  await Promise.all(thrice.flatMap((play) => calls.map((call) => play(call).catch(() => undefined))));
  for (const call of calls) await abort?.(call);
  // A client that left is settled once the provider's side is closed: nothing is in flight any more then.
  const resting = async (): Promise<Books> => {
    for (;;) {
      const now = await books();
      // Its receipts may have been read before the last of them was there.
      if (now.accounts.every(({ held }) => held === 0)) return await books();
    }
  };
  const { receipts, accounts } = await resting();
  const own = receipts.filter(({ key_id }) => key_id === id);
  const sum = own.reduce((all, { cost_nano_usd }) => all + cost_nano_usd, 0);
  const everything = receipts.reduce((all, { cost_nano_usd }) => all + cost_nano_usd, 0);
  assert.equal(own.length, calls.length * (3 * 5 + 1));
  const posted = (scope: string): number =>
    Math.round((accounts.find((account) => account.scope === scope)?.posted ?? -1) * 1e9);
  assert.deepEqual([posted(`key:${id}`), posted('team:search'), posted('global')], [sum, sum, everything]);
  await bench.admin('DELETE', `/admin/budgets/${made.id}`);
});

test('B7: a key without any budget is never refused by one, whatever its neighbours and parents went through', async () => {
  const { key } = await bench.key({ name: 'free', owner: 'team:search' });
  const poor = await bench.key({ name: 'poor', owner: 'team:search', budget: { limit: 0, per: 'day' } });
  const gone = await bench.admin('POST', '/admin/budgets', { scope: 'team:search', limit: 0, per: 'day' });
  const soft = await bench.admin('POST', '/admin/budgets', {
    scope: 'team:search',
    limit: '0.000000001 USD',
    per: 'month',
    soft: true,
  });
  const [first] = calls;
  assert.ok(first);
  assert.equal((await first.send(key, 'ok')).status, 402, 'the team is out of money');
  await bench.admin('DELETE', `/admin/budgets/${gone.id}`);
  assert.equal((await first.send(poor.key, 'ok')).status, 402);
  for (const { name, send } of calls) {
    const answers = await Promise.all([1, 2, 3].map(() => send(key, 'ok')));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
      name,
    );
    for (const answer of answers) await answer.arrayBuffer();
  }
  await bench.admin('DELETE', `/admin/budgets/${soft.id}`);
});
