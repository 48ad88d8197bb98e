// Requests that come from other formats, and answers that go to this format's clients: what is kept, changed and told.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contextOf, framesOf, targetOf } from '../../../test/messages-kit.ts';
import { members } from '../../exchange/json-span.ts';
import type { Part } from '../../exchange/part.ts';
import type { Prompt } from '../../exchange/prompt.ts';
import { noUsage } from '../../exchange/usage.ts';
import { type Json, object } from '../json.ts';
import { anthropicMessages as codec } from './codec.ts';

const base: Prompt = {
  turns: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
  tools: [],
  hostedTools: [],
  stream: false,
  outputLimit: 4096,
  extra: {},
};
const tool = { place: 'tools[0]', name: 'f', schema: { type: 'object', properties: {} } };
const gemini = { origin: 'gemini-generate', value: 'CiQB+sig==' } as const;

function encode(change: Partial<Prompt>, model = 'claude-sonnet-4-5'): { body: Json; losses: string[] } {
  const { body, losses } = codec.encodeRequest({ ...base, ...change }, targetOf(model));
  return { body: object(JSON.parse(body)), losses: losses.map((loss) => `${loss.how} ${loss.field}`) };
}

const parameters: readonly (readonly [string, Partial<Prompt>, string, Json, readonly string[]])[] = [
  ['no limit, known model', { outputLimit: undefined as never }, 'claude-sonnet-4-5', { max_tokens: 32_000 }, []],
  [
    'no limit, small model',
    { outputLimit: undefined as never },
    'claude-3-5-sonnet-20241022',
    { max_tokens: 8192 },
    [],
  ],
  ['no limit, unknown model', { outputLimit: undefined as never }, 'kimi-k2', { max_tokens: 8192 }, []],
  ['too high a limit', { outputLimit: 200_000 }, 'claude-sonnet-4-5', { max_tokens: 64_000 }, ['clamped max_tokens']],
  ['hot temperature', { temperature: 1.7 }, 'claude-sonnet-4-5', { temperature: 1 }, ['clamped temperature']],
  ['both samplings', { temperature: 0.2, topP: 0.9 }, 'claude-sonnet-4-5', { temperature: 0.2 }, ['dropped top_p']],
  [
    'both samplings, older',
    { temperature: 0.2, topP: 0.9 },
    'claude-3-haiku-20240307',
    { temperature: 0.2, top_p: 0.9 },
    [],
  ],
  ['no sampling', { temperature: 0.2 }, 'claude-opus-4-8', {}, ['dropped temperature']],
  ['neutral sampling', { temperature: 1, topP: 1 }, 'claude-opus-4-8', {}, []],
  [
    'effort by budget',
    { reasoning: { enabled: true, effort: 'low' } },
    'claude-sonnet-4-5',
    { thinking: { type: 'enabled', budget_tokens: 2048 } },
    [],
  ],
  [
    'budget over the limit',
    { outputLimit: 2000, reasoning: { enabled: true, budgetTokens: 9000 } },
    'claude-sonnet-4-5',
    { max_tokens: 2000, thinking: { type: 'enabled', budget_tokens: 1999 } },
    ['clamped thinking'],
  ],
  [
    'no room to think',
    { outputLimit: 1000, reasoning: { enabled: true, effort: 'high' } },
    'claude-sonnet-4-5',
    { max_tokens: 1000 },
    ['dropped thinking'],
  ],
  [
    'too small a budget',
    { reasoning: { enabled: true, budgetTokens: 100 } },
    'claude-sonnet-4-5',
    { thinking: { type: 'enabled', budget_tokens: 1024 } },
    ['clamped thinking'],
  ],
  [
    'effort on adaptive',
    { reasoning: { enabled: true, effort: 'minimal' } },
    'claude-opus-4-8',
    { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
    ['changed thinking'],
  ],
  [
    'budget on adaptive',
    { reasoning: { enabled: true, budgetTokens: 9000 } },
    'claude-opus-4-8',
    { thinking: { type: 'adaptive' }, output_config: { effort: 'medium' } },
    ['changed thinking'],
  ],
  ['off', { reasoning: { enabled: false, effort: 'none' } }, 'claude-opus-4-8', { thinking: { type: 'disabled' } }, []],
  ['off by default', { reasoning: { enabled: false, effort: 'none' } }, 'claude-sonnet-4-5', {}, []],
  [
    'cannot think',
    { reasoning: { enabled: true, effort: 'high' } },
    'claude-3-5-haiku-latest',
    {},
    ['dropped thinking'],
  ],
  [
    'thinking and temperature',
    { temperature: 0, reasoning: { enabled: true, effort: 'low' } },
    'claude-sonnet-4-5',
    { thinking: { type: 'enabled', budget_tokens: 2048 } },
    ['dropped temperature'],
  ],
  [
    'no counterpart',
    { seed: 1, choices: 2, logprobs: true, presencePenalty: 1, extra: { store: true } },
    'claude-sonnet-4-5',
    {},
    ['dropped seed', 'dropped n', 'dropped logprobs', 'dropped presence_penalty', 'dropped store'],
  ],
  [
    'neutral values',
    { choices: 1, logprobs: false, presencePenalty: 0, outputFormat: { kind: 'text' } },
    'claude-sonnet-4-5',
    {},
    [],
  ],
  ['json without schema', { outputFormat: { kind: 'json' } }, 'claude-sonnet-4-5', {}, ['dropped response_format']],
  [
    'schema',
    {
      outputFormat: {
        kind: 'schema',
        name: 'x',
        schema: { type: 'object', properties: { a: { type: 'array', items: { type: 'object', properties: {} } } } },
      },
    },
    'claude-sonnet-4-5',
    {
      output_config: {
        format: {
          type: 'json_schema',
          schema: {
            type: 'object',
            properties: {
              a: { type: 'array', items: { type: 'object', properties: {}, additionalProperties: false } },
            },
            additionalProperties: false,
          },
        },
      },
    },
    [],
  ],
  ['tiers', { tier: 'flex' }, 'claude-sonnet-4-5', {}, ['dropped service_tier']],
  [
    'serial calls',
    { tools: [tool], parallelToolCalls: false },
    'claude-sonnet-4-5',
    {
      tools: [{ name: 'f', input_schema: tool.schema }],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    },
    [],
  ],
  [
    'allowed tools',
    { tools: [tool, { place: 'tools[1]', name: 'g' }], toolChoice: { kind: 'allowed', names: ['g'], required: true } },
    'claude-sonnet-4-5',
    { tools: [{ name: 'g', input_schema: { type: 'object', properties: {} } }], tool_choice: { type: 'any' } },
    ['changed tool_choice'],
  ],
  [
    'forced call while thinking',
    { tools: [tool], toolChoice: { kind: 'any' }, reasoning: { enabled: true, effort: 'low' } },
    'claude-sonnet-4-5',
    { tools: [{ name: 'f', input_schema: tool.schema }], tool_choice: { type: 'any' } },
    ['changed thinking'],
  ],
  [
    'web search of another',
    {
      hostedTools: [{ place: 'tools[0]', origin: 'gemini-generate', kind: 'web-search', value: { googleSearch: {} } }],
    },
    'claude-sonnet-4-5',
    { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    ['changed tools[0]'],
  ],
];

for (const [name, change, model, expected, losses] of parameters) {
  test(`parameters: ${name}`, () => {
    const made = encode(change, model);
    const { model: _model, messages, ...rest } = made.body;
    assert.deepEqual(messages, [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }]);
    assert.deepEqual(rest, { max_tokens: 4096, ...expected });
    assert.deepEqual(made.losses, losses);
  });
}

test('turns: instructions ahead, neighbours joined, results first, ids made fit and unique', () => {
  const call = (id: string) => ({ type: 'tool-call', id, name: 'f', input: '{"a":1}' }) as const;
  const result = (id: string, text: string) =>
    ({ type: 'tool-result', id, content: [{ type: 'text', text }] }) as const;
  const { body, losses } = encode({
    turns: [
      { role: 'system', content: [{ type: 'text', text: 'One.' }] },
      { role: 'developer', content: [{ type: 'text', text: 'Two.' }] },
      { role: 'user', content: [{ type: 'text', text: 'Go' }] },
      { role: 'assistant', content: [{ type: 'reasoning', text: 'hm' }, call('functions.f:0')] },
      { role: 'user', content: [{ type: 'text', text: 'and' }, result('functions.f:0', 'r1')] },
      { role: 'system', content: [{ type: 'text', text: 'Three.' }] },
      { role: 'assistant', content: [{ type: 'text', text: '' }, call('functions.f:0')] },
      { role: 'user', content: [result('functions.f:0', 'r2')] },
      { role: 'user', content: [{ type: 'text', text: 'Next' }] },
    ],
  });
  const text = (words: string) => ({ type: 'text', text: words });
  const use = (id: string) => ({ type: 'tool_use', id, name: 'f', input: { a: 1 } });
  const back = (id: string, words: string) => ({ type: 'tool_result', tool_use_id: id, content: [text(words)] });
  assert.deepEqual(body.system, [text('One.'), text('Two.'), text('Three.')]);
  assert.deepEqual(body.messages, [
    { role: 'user', content: [text('Go')] },
    { role: 'assistant', content: [use('functions_f_0')] },
    { role: 'user', content: [back('functions_f_0', 'r1'), text('and')] },
    { role: 'assistant', content: [use('functions_f_0_2')] },
    { role: 'user', content: [back('functions_f_0_2', 'r2'), text('Next')] },
  ]);
  assert.deepEqual(losses, ['dropped messages[3].content[0]', 'changed messages[5]']);
});

test('turns: media that this format cannot take is told, never sent', () => {
  const { body, losses } = encode({
    turns: [
      {
        role: 'user',
        content: [
          { type: 'image', source: { kind: 'base64', mediaType: 'image/svg+xml', data: 'AA==' } },
          { type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'AA==' } },
          { type: 'image', source: { kind: 'url', url: 'https://example.org/a.png' }, detail: 'high' },
          { type: 'document', source: { kind: 'base64', mediaType: 'text/csv', data: 'YSxi' }, name: 'a.csv' },
          { type: 'document', source: { kind: 'file', id: 'file-1', origin: 'openai-chat' } },
        ],
      },
    ],
  });
  assert.deepEqual(body.messages, [
    {
      role: 'user',
      content: [
        { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a,b' }, title: 'a.csv' },
      ],
    },
  ]);
  const path = 'messages[0].content';
  assert.deepEqual(losses, [
    `dropped ${path}[0]`,
    `dropped ${path}[1]`,
    `dropped ${path}[2].detail`,
    `dropped ${path}[4]`,
  ]);
});

/** Calls written at once, proofs of another format, and a citation: as a client of this format reads them. */
const foreign: readonly Part[] = [
  { type: 'start', model: 'gemini-3-pro' },
  { type: 'reasoning-delta', choice: 0, text: 'think' },
  { type: 'reasoning-signature', choice: 0, signature: gemini },
  { type: 'text-delta', choice: 0, text: 'See' },
  { type: 'text-signature', choice: 0, signature: gemini },
  { type: 'tool-input-start', choice: 0, index: 0, id: 'a', name: 'f', signature: gemini },
  { type: 'tool-input-start', choice: 0, index: 1, id: 'b', name: 'g' },
  { type: 'tool-input-delta', choice: 0, index: 1, text: '{"y"' },
  { type: 'tool-input-delta', choice: 0, index: 0, text: '{"x":1}' },
  { type: 'tool-input-delta', choice: 0, index: 1, text: ':2}' },
  { type: 'reasoning-delta', choice: 0, text: 'unproven' },
  { type: 'usage', usage: { ...noUsage(), input: 5, output: 9, reasoning: 3 } },
  { type: 'finish', choice: 0, reason: 'stop', raw: 'STOP' },
  { type: 'end' },
];

test('a foreign answer and stream, and the way back of its proofs', () => {
  const price = () => ({ cost: 1234, saved: 0 });
  const answer = object(JSON.parse(codec.encodeAnswer(foreign, contextOf(price)).body));
  assert.deepEqual(answer.content, [
    { type: 'thinking', thinking: 'think', signature: 'tg1.gemini-generate.CiQB+sig==' },
    { type: 'text', text: 'See' },
    { type: 'redacted_thinking', data: 'tg1.gemini-generate.text:CiQB+sig==' },
    { type: 'redacted_thinking', data: 'tg1.gemini-generate.tool:CiQB+sig==' },
    { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
    { type: 'tool_use', id: 'b', name: 'g', input: { y: 2 } },
    { type: 'thinking', thinking: 'unproven', signature: 'tg1.none.' },
  ]);
  assert.equal(answer.stop_reason, 'tool_use');
  const usage = object(answer.usage);
  assert.deepEqual([usage.input_tokens, usage.output_tokens, usage.cost, usage.saved], [5, 12, 0.000001234, 0]);

  const encoder = codec.streamEncoder(contextOf(price));
  const sse = foreign.map((part) => encoder.push(part)).join('') + encoder.end();
  const decoder = codec.streamDecoder();
  const again = framesOf(sse).flatMap((frame) => decoder.push(frame));
  const streamed = object(JSON.parse(codec.encodeAnswer(again, contextOf(price)).body));
  assert.deepEqual(streamed, { ...answer, id: 'msg_0' });

  const messages = [
    { role: 'user', content: 'q' },
    { role: 'assistant', content: answer.content },
  ];
  const surface = { kind: 'generate', format: 'anthropic-messages' } as const;
  const { prompt } = codec.decodeRequest({ messages }, surface);
  assert.deepEqual(prompt.turns[1]?.content, [
    { type: 'reasoning', text: 'think', signature: gemini },
    { type: 'text', text: 'See', signature: gemini },
    { type: 'tool-call', id: 'a', name: 'f', input: '{"x":1}', signature: gemini },
    { type: 'tool-call', id: 'b', name: 'g', input: '{"y":2}' },
    { type: 'reasoning', text: 'unproven' },
  ]);
  const body = { model: 'm', max_tokens: 5, messages };
  const raw = Buffer.from(JSON.stringify(body));
  const spliced = object(
    JSON.parse(codec.splice({ raw, body, members: members(raw) }, { model: 'm' }, targetOf('m')).toString()),
  );
  assert.doesNotMatch(JSON.stringify(spliced), /tg1|unproven|think/);
});
