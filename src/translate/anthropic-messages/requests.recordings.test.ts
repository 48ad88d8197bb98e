// Every recorded request is decoded and encoded again: what differs must be on the list of exceptions, with its reason.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetOf } from '../../../test/messages-kit.ts';
import { recordings, recordingsAbsent, recordingsFolder } from '../../../test/recordings.ts';
import { members } from '../../exchange/json-span.ts';
import { Refusal } from '../../exchange/refusal.ts';
import { isObject, type Json, object } from '../json.ts';
import { anthropicMessages as codec } from './codec.ts';

const surface = { kind: 'generate', format: 'anthropic-messages' } as const;

/** Two spellings of one request: strings as blocks, defaults left out, empty members left out. */
function normal(value: unknown, key = ''): unknown {
  if (key === 'content' || key === 'system') {
    if (typeof value === 'string') return value === '' ? [] : [{ type: 'text', text: value }];
  }
  if (Array.isArray(value)) {
    const hosted = (each: unknown): number => Number(!['undefined', 'custom'].includes(String(object(each).type)));
    const sorted = key === 'tools' ? [...value].sort((a, b) => hosted(a) - hosted(b)) : value;
    return sorted.map((each) => normal(each));
  }
  if (!isObject(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) {
    if (each === null || (name === 'ttl' && each === '5m') || (name === 'is_error' && each === false)) continue;
    if (name === 'type' && each === 'custom') continue;
    if ((name === 'stream' && each === false) || (name === 'description' && each === '')) continue;
    if (name === 'tools' && Array.isArray(each) && each.length === 0) continue;
    copy[name] = name === 'input_schema' || name === 'schema' ? each : normal(each, name);
  }
  return copy;
}

/** `messages[].content[].caller`-like paths of what differs. */
function differences(before: unknown, after: unknown, path = ''): string[] {
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((each, index) => differences(each, after[index], `${path}[]`));
  }
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  try {
    assert.deepEqual(after, before);
    return [];
  } catch {
    return [path];
  }
}

/** Why a path may differ. */
const exceptions: readonly (readonly [RegExp, string])[] = [
  [/^(model|anthropic_version)$/, 'the address names the model (Vertex), or the target does'],
  [/^(context_management|mcp_servers|container)$/, 'no neutral place: told as a loss'],
  [/^output_config\.task_budget$/, 'no neutral place: told as a loss'],
  [/^(cache_control|.*\.cache_control)$/, 'a top-level mark becomes a mark on the last block'],
  [/^tools\[\]\.defer_loading$/, 'no neutral place: told as a loss'],
  [/\.caller$/, 'who called a tool has no neutral place: told as a loss unless direct'],
  [
    /^tools\[\]\.input_schema\.(type|additionalProperties)$/,
    'schemas get the type, and strict ones the closure, that the provider wants',
  ],
  [/^tools\[\]\.input_schema$/, 'what is no schema becomes the empty one; the provider refused it'],
  [/^tools\[\]\.strict$/, 'older models know no strict tools: told as a loss; false is the default'],
  [/^output_format$/, 'the beta’s name for output_config.format'],
  [/^output_config(\.format.*)?$/, 'schemas are closed; older models lose it; the beta’s name is given up'],
  [/^output_config\.effort$/, 'only steps that the model knows'],
  [
    /^thinking(\..*)?$/,
    'effort alone turns thinking on; models without budgets get adaptive; forced tools turn it off',
  ],
  [/^(temperature|top_p|top_k)$/, 'models that refuse sampling parameters, or both at once, or 1 while thinking'],
  [/^(messages|system)$/, 'system turns move ahead; neighbours of one role become one turn'],
  [/^messages\[\]\.content$/, 'blank text is left out; thinking without a proof is left out'],
  [/^messages\[\]\.content\[\]/, 'results stand before text'],
  [/^max_tokens$/, 'no more than the model can'],
  [/^tool_choice(\.disable_parallel_tool_use)?$/, 'left out where there is no tool'],
];

test('recorded requests decode and encode to an equivalent request', {
  skip: recordingsFolder ? false : recordingsAbsent,
}, () => {
  const counts = new Map<string, number>();
  const excused = new Map<string, Set<string>>();
  let refused = 0;
  for (const recording of recordings('messages')) {
    const body = recording.request?.body;
    if (!isObject(body)) continue;
    const model = /models\/([^:]+):/.exec(recording.request?.path ?? '')?.[1] ?? String(body.model);
    codec.outline({ model, ...body }, surface, 1);
    let decoded: ReturnType<typeof codec.decodeRequest>;
    try {
      decoded = codec.decodeRequest(body, surface);
    } catch (error) {
      // The provider refused these too.
      assert.ok(error instanceof Refusal && recording.response.status === 400, recording.id);
      refused++;
      continue;
    }
    const encoded = codec.encodeRequest(decoded.prompt, targetOf(model));
    const losses = [...decoded.losses, ...encoded.losses];
    for (const path of differences(normal(body), normal(object(JSON.parse(encoded.body))))) {
      const reason = exceptions.find(([matches]) => matches.test(path));
      assert.ok(reason, `${recording.id}: ${path} differs; losses ${JSON.stringify(losses)}`);
      const key = `${path}: ${reason[1]}`;
      excused.set(key, (excused.get(key) ?? new Set()).add(recording.id));
    }
    counts.set(recording.provider, (counts.get(recording.provider) ?? 0) + 1);
  }
  for (const [provider, count] of counts) console.log(`requests ${provider}: ${count}`);
  console.log(`refused by us and by the provider: ${refused}`);
  for (const [key, ids] of [...excused].sort()) console.log(`  ${ids.size} × ${key} (${[...ids][0]})`);
  assert.ok([...counts.values()].reduce((sum, count) => sum + count, 0) > 300);
});

test('splicing the model changes nothing else', { skip: recordingsFolder ? false : recordingsAbsent }, () => {
  for (const recording of recordings('messages')) {
    const body = recording.request?.body;
    if (!isObject(body) || typeof body.model !== 'string') continue;
    const raw = Buffer.from(JSON.stringify(body, undefined, 1));
    const spliced = codec.splice(
      { raw, body, members: members(raw) },
      { model: 'claude-x', outputLimit: 7777 },
      targetOf('claude-x'),
    );
    const after = object(JSON.parse(spliced.toString('utf8')));
    const expected: Json = { ...body, model: 'claude-x', max_tokens: 7777 };
    assert.deepEqual(after, expected, recording.id);
  }
});
