// The kill, over sockets and in every phase: streams end in their own protocol, what waits is refused, and both are paid.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Format, formats } from '../../src/exchange/format.ts';
import { receiptsOf, tollgate } from '../lasting/tools.ts';
import { billed, startWorld, type World } from './kit.ts';
import { readers } from './readers.ts';
import { wholeTokens } from './upstream.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

interface Line {
  readonly id: string;
  readonly phase: string;
  readonly asked: string;
  readonly run: string | null;
  readonly output_characters: number;
  readonly cost: number;
  readonly held: number;
}

/** The line of a request once it is in this phase. */
async function inPhase(wanted: (line: Line) => boolean): Promise<Line> {
  for (;;) {
    const { data } = await world.admin<{ data: Line[] }>('GET', '/admin/inflight');
    const found = data.find(wanted);
    if (found) return found;
  }
}

interface Ended {
  readonly ended_here: number;
  readonly others_told: boolean;
}

function chat(model: string, stream: boolean, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${world.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.gateway.key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Write.' }] }),
  });
}

const providerOf: Readonly<Record<Format, string>> = {
  'openai-chat': 'openai',
  'anthropic-messages': 'anthropic',
  'gemini-generate': 'gemini',
};

describe('a stream', { concurrency: 3 }, () => {
  for (const format of formats)
    test(`${format}: killed by its id, its library raises, and it is paid`, async () => {
      const model = `${providerOf[format]}/words-kill-${format}`;
      const read = readers[format](world.gateway, model).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      const line = await inPhase(({ asked, output_characters }) => asked === model && output_characters > 100);
      assert.equal(line.phase, 'streaming');
      assert.ok(line.cost > 0 && line.held > 0);
      const ended = await world.admin<Ended>('DELETE', `/admin/inflight/${line.id}`);
      assert.deepEqual([ended.ended_here, ended.others_told], [1, true]);
      assert.match((await read) ?? 'an answer', /An operator ended this request/);
      const receipt = await world.receipt(model);
      assert.deepEqual([receipt.ending, receipt.code, receipt.status], ['killed', 'killed', 200]);
      const deed = world.upstream.deeds.find((each) => model.endsWith(`/${each.model}`));
      if (format === 'gemini-generate') assert.deepEqual([deed?.ended, receipt.cost], [true, billed(wholeTokens)]);
      else assert.ok(deed && deed.hungUpAt > 0 && receipt.cost > 0);
    });
});

test('the body is still being read: 403, and a receipt that costs nothing', async () => {
  const { hostname, port } = new URL(world.gateway.url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${world.gateway.key}\r\n` +
      'content-type: application/json\r\ncontent-length: 500\r\n\r\n{"model":',
  );
  const line = await inPhase(({ phase }) => phase === 'reading');
  await world.admin('DELETE', `/admin/inflight/${line.id}`);
  const answer = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
  socket.destroy();
  assert.match(answer, /^HTTP\/1\.1 403 /);
  assert.match(answer, /"code":"killed"/);
  const receipt = receiptsOf(world.gateway.dataFolder).find(({ id }) => id === line.id);
  assert.deepEqual([receipt?.ending, receipt?.cost, receipt?.charges], ['killed', 0, []]);
});

test('a run: everything of it and nothing else, by tollgate kill', async () => {
  const headers = { 'x-tollgate-run': 'nightly' };
  const asked = [chat('openai/mute-run-1', true, headers), chat('openai/late-run-2', false, headers)];
  const other = chat('openai/late-other', false, { 'x-tollgate-run': 'daily' });
  for (const name of ['mute-run-1', 'late-run-2', 'late-other']) await world.upstream.reached(name, 1);
  const environment = { TOLLGATE_ADMIN_TOKEN: world.gateway.adminToken };
  const seen = await tollgate(['top', '--json', '--run', 'nightly', '--url', world.gateway.url], environment);
  assert.equal((JSON.parse(seen.out) as { total: number }).total, 2, seen.err);
  const { out, code } = await tollgate(['kill', '--run', 'nightly', '--url', world.gateway.url], environment);
  assert.deepEqual([code, out.startsWith('Ended 2 of the run nightly')], [0, true], out);
  for (const response of await Promise.all(asked)) {
    assert.equal(response.status, 403);
    assert.equal(response.headers.get('x-should-retry'), 'false');
    assert.equal(((await response.json()) as { error: { code: string } }).error.code, 'killed');
  }
  const line = await inPhase(({ run }) => run === 'daily');
  await world.admin('POST', '/admin/kill', { request: line.id });
  assert.equal((await other).status, 403);
});

test('a provider that bills in full is heard out behind the 403, unless it is killed again', async () => {
  const paid = chat('chat/late-paid', false);
  const cut = chat('chat/mute-cut', true);
  await world.upstream.reached('late-paid', 1);
  await world.upstream.reached('mute-cut', 1);
  for (const asked of ['chat/late-paid', 'chat/mute-cut']) {
    const line = await inPhase((each) => each.asked === asked && each.phase === 'waiting');
    await world.admin('DELETE', `/admin/inflight/${line.id}`);
  }
  assert.deepEqual([(await paid).status, (await cut).status], [403, 403]);
  const draining = await inPhase(({ asked, phase }) => asked === 'chat/mute-cut' && phase === 'draining');
  assert.equal((await world.admin<Ended>('DELETE', `/admin/inflight/${draining.id}`)).ended_here, 1);
  const abandoned = await world.receipt('chat/mute-cut');
  assert.deepEqual([abandoned.ending, abandoned.estimated], ['killed', true]);
  world.upstream.release();
  const receipt = await world.receipt('chat/late-paid');
  assert.deepEqual(
    [receipt.ending, receipt.status, receipt.cost, receipt.estimated],
    ['killed', 403, billed(wholeTokens), false],
  );
});

test('a key: all that it has in flight; revoking it leaves what runs alone and refuses what is new', async () => {
  const made = await world.admin<{ id: string; key: string }>('POST', '/admin/keys', { name: 'loop' });
  const mine = { authorization: `Bearer ${made.key}` };
  const runs = await Promise.all([1, 2, 3].map((number) => chat(`openai/words-key-${number}`, true, mine)));
  await world.admin('DELETE', `/admin/keys/${made.id}`);
  assert.equal((await chat('openai/words-key-4', true, mine)).status, 401);
  const { data } = await world.admin<{ data: Line[] }>('GET', `/admin/inflight?key=${made.id}`);
  assert.equal(data.length, 3, 'still running');
  assert.equal((await world.admin<Ended>('POST', '/admin/kill', { key: made.id })).ended_here, 3);
  for (const run of runs) assert.match(await run.text(), /"code":"killed"/);
  await world.conserved();
});
