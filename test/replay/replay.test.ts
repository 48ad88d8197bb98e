// Recorded traffic through a real gateway process: the client gets the provider's bytes, the ledger the provider's usage.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Format } from '../../src/exchange/format.ts';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { admin } from '../lasting/tools.ts';
import { type IndexEntry, readRecording, recordingIndex, recordingsAbsent, recordingsFolder } from '../recordings.ts';
import { type ReplayServer, startReplay } from './replay.ts';
import { shownWithoutUsage, toldUsage, withoutOwned } from './told.ts';

const skip = recordingsFolder ? false : recordingsAbsent;
const apis: Readonly<Record<string, Format>> = {
  chat: 'openai-chat',
  messages: 'anthropic-messages',
  generateContent: 'gemini-generate',
};

/** The same pick in every run: by a hash of the id and the seed. */
function pick(entries: readonly IndexEntry[], wanted: number, seed = 7): IndexEntry[] {
  const rank = ({ id }: IndexEntry): number => {
    let hash = seed;
    for (const letter of id) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
    return hash;
  };
  return [...entries].sort((one, other) => rank(one) - rank(other)).slice(0, wanted);
}

function group(api: string, stream: boolean, wanted: number): IndexEntry[] {
  const tagged = (entry: IndexEntry, tag: string): boolean => entry.tags.includes(tag);
  const good = recordingIndex().filter(
    (entry) =>
      entry.api === api &&
      entry.status === 200 &&
      tagged(entry, 'stream') === stream &&
      !['error', 'stream_error', 'error_in_200', 'json_array_stream'].some((tag) => tagged(entry, tag)),
  );
  return pick(good, wanted);
}

const failing = (api: string): IndexEntry[] =>
  pick(
    recordingIndex().filter((entry) => entry.api === api && entry.status >= 400),
    4,
  );

let replay: ReplayServer;
let gateway: GatewayProcess;
const counts = new Map<string, number>();
const counted = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

before(async () => {
  if (skip) return;
  replay = await startReplay();
  const providers: Record<string, unknown> = {};
  for (const [api, format] of Object.entries(apis)) {
    const row = { base_url: `${replay.url}/v1`, format, api_key: 'key' };
    providers[api] = row;
    // One each: what fails must not cool another one down.
    for (const at of failing(api).keys()) providers[`${api}-error-${at}`] = row;
  }
  const prices = Object.fromEntries(Object.keys(providers).map((name) => [`${name}/*`, { input: 1, output: 2 }]));
  gateway = await startGateway({ config: { providers, prices, budgets: [] }, environment: { LOG_LEVEL: 'error' } });
});
after(async () => {
  await gateway?.close();
  await replay?.close();
  for (const [what, number] of [...counts].sort()) console.log(`${String(number).padStart(5)} ${what}`);
});

function ask(api: string, provider: string, id: string, stream: boolean, usage = true): Promise<Response> {
  const model = `${provider}/replay-${id}`;
  const messages = [{ role: 'user', content: 'Hello' }];
  const [path, body] = {
    chat: [
      '/v1/chat/completions',
      { model, messages, stream, ...(usage && stream ? { stream_options: { include_usage: true } } : {}) },
    ],
    messages: ['/v1/messages', { model, messages, stream, max_tokens: 100 }],
  }[api] ?? [
    `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  ];
  return fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

interface Line {
  readonly ending: string;
  readonly status: number;
  readonly estimated: boolean;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_nano_usd: number;
}

const receiptOf = (response: Response): Promise<Line> =>
  admin<Line>(gateway, `/admin/requests/${response.headers.get('x-tollgate-request-id') ?? ''}`);

async function plays(api: string, entry: IndexEntry, stream: boolean): Promise<void> {
  const recording = readRecording(entry);
  const sent = recording.response.sse_text ?? recording.response.body_text ?? JSON.stringify(recording.response.body);
  const response = await ask(api, api, entry.id, stream);
  const got = await response.text();
  assert.equal(response.status, 200, got.slice(0, 300));
  const whole = withoutOwned(sent).trimEnd();
  const shown = withoutOwned(got).trimEnd();
  assert.equal(shown, stream ? whole.slice(0, shown.length) : whole);
  if (stream && whole.length > shown.length) {
    assert.doesNotMatch(whole.slice(shown.length), /"content"|"text"/, 'nothing of the answer stands behind its end');
    counted(`${api}: shown no further than the terminator`);
  }
  const line = await receiptOf(response);
  assert.equal(line.ending, 'completed');
  const told = toldUsage(apis[api], sent);
  assert.equal(line.estimated, told === undefined);
  if (told) assert.deepEqual({ input: line.input_tokens, output: line.output_tokens }, told);
  counted(`${api}: ${stream ? 'streams' : 'whole answers'}${told ? '' : ', usage estimated'}`);
}

for (const api of Object.keys(apis)) {
  for (const stream of [true, false]) {
    test(`${api}, ${stream ? 'streams' : 'whole'}: recorded bytes and recorded usage`, { skip }, async () => {
      const failures: string[] = [];
      for (const entry of group(api, stream, 8)) {
        await plays(api, entry, stream).catch((error: unknown) =>
          failures.push(`${entry.id}: ${String(error).slice(0, 900)}`),
        );
      }
      assert.deepEqual(failures, []);
    });
  }

  test(`${api}: a recorded error is an error of the client's format`, { skip }, async () => {
    for (const [at, entry] of failing(api).entries()) {
      const response = await ask(api, `${api}-error-${at}`, entry.id, entry.tags.includes('stream'));
      const body = (await response.json()) as {
        type?: string;
        error: { message: string; type?: string; status?: string };
      };
      assert.ok(response.status >= 400, entry.id);
      assert.ok(body.error.message.length > 0, entry.id);
      if (api === 'messages') assert.equal(body.type, 'error', entry.id);
      assert.equal(typeof (api === 'generateContent' ? body.error.status : body.error.type), 'string', entry.id);
      const line = await receiptOf(response);
      assert.deepEqual([line.ending, line.status], ['failed', response.status], entry.id);
      counted(`${api}: errors, ${entry.status} shown as ${response.status}`);
    }
  });
}

test('usage that the client did not ask for is hidden and still paid', { skip }, async () => {
  for (const entry of group('chat', true, 6)) {
    const sent = readRecording(entry).response.sse_text ?? '';
    const response = await ask('chat', 'chat', entry.id, true, false);
    assert.deepEqual(shownWithoutUsage(await response.text()), shownWithoutUsage(sent, true), entry.id);
    const told = toldUsage('openai-chat', sent);
    const line = await receiptOf(response);
    if (told) assert.equal(line.cost_nano_usd, told.input * 1000 + told.output * 2000, entry.id);
    counted('chat: streams with hidden usage');
  }
});

test('what is not recorded is a 404 that says how to ask', { skip }, async () => {
  const response = await fetch(`${replay.url}/v1/chat/completions`, { method: 'POST', body: '{"model":"gpt-4o"}' });
  assert.equal(response.status, 404);
  assert.match(await response.text(), /Ask for the model replay-ID.*Some ids: \w+/);
});
