// What a crossing loses is told by the client's own names, streams included; what belongs to another format's provider
// stays behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Format, formats } from '../src/exchange/format.ts';
import { Frame } from '../src/exchange/frame.ts';
import type { Part } from '../src/exchange/part.ts';
import type { Loss } from '../src/exchange/prompt.ts';
import { codecs, openLane } from '../src/translate/translate.ts';
import { answerContext } from './answer-context.ts';
import { send as sendUp } from './send.ts';

const context = answerContext({ id: (prefix) => `${prefix}1` });

function send(...request: Parameters<typeof sendUp>) {
  const { body, losses } = sendUp(...request);
  return { body, losses: losses.map((loss) => loss.field) };
}

const cache_control = { type: 'ephemeral' };

test('losses name the Messages client’s own messages, with and without a system text', () => {
  const messages = [
    { role: 'user', content: 'One' },
    { role: 'assistant', content: 'Two' },
    { role: 'user', content: [{ type: 'text', text: 'Three', cache_control }] },
  ];
  const asked = { model: 'm', max_tokens: 10, messages };
  const path = 'messages[2].content[0].cache_control';
  for (const provider of ['openai-chat', 'gemini-generate'] as const) {
    assert.deepEqual(send('anthropic-messages', provider, asked).losses, [path]);
    assert.deepEqual(send('anthropic-messages', provider, { ...asked, system: 'Be brief.' }).losses, [path]);
    const system = [{ type: 'text', text: 'Be brief.', cache_control }];
    assert.deepEqual(send('anthropic-messages', provider, { ...asked, system }).losses, [
      'system[0].cache_control',
      path,
    ]);
  }
});

test('losses name the Gemini client’s contents and the chat client’s messages behind folded results', () => {
  const part = { inlineData: { mimeType: 'video/mp4', data: 'AAAA' } };
  const systemInstruction = { parts: [{ text: 'Be brief.' }] };
  const contents = [{ role: 'user', parts: [{ text: 'One' }, part] }];
  const gemini = send('gemini-generate', 'anthropic-messages', { systemInstruction, contents });
  assert.ok(gemini.losses.includes('contents[0].parts[1]'), gemini.losses.join(' '));
  const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } });
  const messages = [
    { role: 'user', content: 'One' },
    { role: 'assistant', content: null, tool_calls: [call('a'), call('b')] },
    { role: 'tool', tool_call_id: 'a', content: '1' },
    { role: 'tool', tool_call_id: 'b', content: '2' },
    { role: 'user', name: 'Ann', content: 'Go on' },
  ];
  assert.deepEqual(send('openai-chat', 'anthropic-messages', { model: 'm', max_tokens: 10, messages }).losses, [
    'messages[4].name',
  ]);
});

const weather = { name: 'weather', strict: true };
const asked: Readonly<Record<Format, Record<string, unknown>>> = {
  'openai-chat': { model: 'm', max_tokens: 8000, messages: [{ role: 'user', content: 'One' }] },
  'anthropic-messages': { model: 'm', max_tokens: 8000, messages: [{ role: 'user', content: 'One' }] },
  'gemini-generate': {
    contents: [{ role: 'user', parts: [{ text: 'One' }] }],
    generationConfig: { maxOutputTokens: 8000 },
  },
};
const claude = 'claude-sonnet-4-5';
const flash = 'gemini-2.5-flash';
const thinks = { type: 'enabled', budget_tokens: 2000 };
const pdf = {
  type: 'document',
  citations: { enabled: true },
  source: { type: 'text', media_type: 'text/plain', data: 'a' },
};

/** Each: the client, the provider and its model, what is asked, and the losses. */
const named: readonly [client: Format, provider: Format, model: string, fields: object, losses: string[]][] = [
  [
    'openai-chat',
    'anthropic-messages',
    claude,
    { tools: [{ type: 'web_search_preview' }, { type: 'function', function: { name: 'f' } }] },
    ['tools[0]'],
  ],
  ['openai-chat', 'anthropic-messages', claude, { web_search_options: {} }, ['web_search_options']],
  ['openai-chat', 'gemini-generate', flash, { web_search_options: {} }, ['web_search_options']],
  [
    'openai-chat',
    'gemini-generate',
    flash,
    { tools: [{ type: 'x_tool' }, { type: 'function', function: weather }] },
    ['tools[1].function.strict', 'tools[0]'],
  ],
  [
    'openai-chat',
    'anthropic-messages',
    'claude-3-haiku-20240307',
    { max_tokens: 4000, functions: [weather] },
    ['functions', 'functions[0].strict'],
  ],
  [
    'openai-chat',
    'anthropic-messages',
    claude,
    { tools: [{ type: 'custom', custom: { name: 'sql' } }] },
    ['tools[0].custom'],
  ],
  ['openai-chat', 'gemini-generate', flash, { reasoning_effort: 'xhigh' }, ['reasoning_effort']],
  ['openai-chat', 'gemini-generate', 'gemini-2.0-flash', { reasoning_effort: 'low' }, ['reasoning_effort']],
  ['openai-chat', 'anthropic-messages', claude, { store: false, metadata: {} }, []],
  ['openai-chat', 'gemini-generate', flash, { store: null, metadata: null }, []],
  ['openai-chat', 'anthropic-messages', claude, { store: true, metadata: { a: 'b' } }, ['store', 'metadata']],
  [
    'anthropic-messages',
    'gemini-generate',
    flash,
    {
      tools: [
        { type: 'bash_20250124', name: 'bash' },
        { name: 'f', cache_control },
      ],
    },
    ['tools[1].cache_control', 'tools[0]'],
  ],
  [
    'anthropic-messages',
    'openai-chat',
    'gpt-5',
    {
      tools: [
        { type: 'bash_20250124', name: 'bash' },
        { name: 'f', cache_control },
      ],
    },
    ['tools[0]', 'tools[1].cache_control'],
  ],
  [
    'anthropic-messages',
    'openai-chat',
    'gpt-5',
    { thinking: { ...thinks, display: 'summarized' } },
    ['thinking.display', 'thinking.budget_tokens'],
  ],
  ['anthropic-messages', 'gemini-generate', flash, { output_config: { effort: 'max' } }, ['output_config.effort']],
  [
    'anthropic-messages',
    'gemini-generate',
    flash,
    { thinking: { ...thinks, budget_tokens: 30_000 } },
    ['thinking.budget_tokens'],
  ],
  [
    'anthropic-messages',
    'gemini-generate',
    flash,
    { messages: [{ role: 'user', content: [pdf] }] },
    ['messages[0].content[0].citations'],
  ],
  [
    'gemini-generate',
    'anthropic-messages',
    claude,
    { tools: [{ googleMaps: {} }, { functionDeclarations: [{ name: 'f' }] }] },
    ['tools[0].googleMaps'],
  ],
  [
    'gemini-generate',
    'openai-chat',
    'gpt-5',
    { tools: [{ functionDeclarations: [{ name: 'f' }], google_search: {} }] },
    ['tools[0].google_search'],
  ],
  [
    'gemini-generate',
    'openai-chat',
    'gpt-5',
    { generationConfig: { thinkingConfig: { includeThoughts: true, thinkingLevel: 'low' } } },
    ['generationConfig.thinkingConfig.includeThoughts'],
  ],
];

for (const [client, provider, model, fields, losses] of named) {
  test(`${client} to ${provider}, ${JSON.stringify(fields)}: losses are named as the client wrote them`, () => {
    assert.deepEqual(send(client, provider, { ...asked[client], ...fields }, model).losses, losses);
  });
}

test('a custom tool is a function with the one text that its calls are sent with', () => {
  const tools = [{ type: 'custom', custom: { name: 'sql', description: 'd', format: { type: 'text' } } }];
  const call = { id: 'a', type: 'custom', custom: { name: 'sql', input: 'select 1' } };
  const messages = [
    { role: 'user', content: 'One' },
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: 'a', content: '1' },
  ];
  const schema = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };
  const body = { ...asked['openai-chat'], messages, tools };
  const messagesBody = send('openai-chat', 'anthropic-messages', body, claude).body;
  assert.deepEqual(messagesBody.tools, [{ name: 'sql', description: 'd', input_schema: schema }]);
  assert.match(JSON.stringify(messagesBody.messages), /"input":\{"input":"select 1"\}/);
  const geminiBody = send('openai-chat', 'gemini-generate', body, flash).body;
  assert.deepEqual(geminiBody.tools, [
    { functionDeclarations: [{ name: 'sql', description: 'd', parametersJsonSchema: schema }] },
  ]);
  assert.match(JSON.stringify(geminiBody.contents), /"args":\{"input":"select 1"\}/);
});

const streamed: Record<string, { parts: Part[]; losses: Partial<Record<Format, string[]>> }> = {
  'a block only its own format understands': {
    parts: [
      { type: 'opaque', choice: 0, block: { type: 'opaque', origin: 'anthropic-messages', kind: 'odd', value: {} } },
    ],
    losses: { 'openai-chat': ['content'], 'gemini-generate': ['odd'], 'anthropic-messages': [] },
  },
  'a picture': {
    parts: [
      {
        type: 'media',
        choice: 0,
        block: { type: 'image', source: { kind: 'base64', data: 'AAAA', mediaType: 'image/png' } },
      },
    ],
    losses: { 'openai-chat': [], 'gemini-generate': [], 'anthropic-messages': ['image'] },
  },
  'a file of another provider': {
    parts: [
      { type: 'media', choice: 0, block: { type: 'image', source: { kind: 'file', id: 'f1', origin: 'openai-chat' } } },
    ],
    losses: { 'openai-chat': ['content'], 'gemini-generate': ['message'], 'anthropic-messages': ['image'] },
  },
  'citations without an address, told once': {
    parts: [
      { type: 'citation', choice: 0, citation: { origin: 'openai-chat', title: 'a', raw: {} } },
      { type: 'citation', choice: 0, citation: { origin: 'openai-chat', title: 'b', raw: {} } },
    ],
    losses: { 'openai-chat': ['annotations'], 'gemini-generate': [], 'anthropic-messages': ['citations'] },
  },
  'a second answer': {
    parts: [{ type: 'text-delta', choice: 1, text: 'Two' }],
    losses: { 'openai-chat': [], 'gemini-generate': [], 'anthropic-messages': ['n'] },
  },
};

for (const [name, { parts, losses }] of Object.entries(streamed)) {
  test(`a stream tells what its client’s format cannot say: ${name}`, () => {
    for (const format of formats) {
      const encoder = codecs[format].streamEncoder(context);
      const all: Part[] = [
        { type: 'text-delta', choice: 0, text: 'One' },
        ...parts,
        { type: 'finish', choice: 0, reason: 'stop' },
        { type: 'end' },
      ];
      for (const part of all) encoder.push(part);
      encoder.end();
      const told: readonly Loss[] = encoder.losses?.() ?? [];
      assert.deepEqual(
        told.map((loss) => loss.field),
        losses[format],
        format,
      );
    }
  });
}

test('a crossing lane passes its encoder’s losses on; a passing lane has none', () => {
  const lane = openLane('anthropic-messages', 'openai-chat', context);
  const chunk = { choices: [{ index: 1, delta: { content: 'Two' }, finish_reason: null }] };
  lane.push(new Frame(Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`)));
  assert.deepEqual(
    lane.losses?.().map((loss) => loss.field),
    ['n'],
  );
  for (const format of formats) assert.equal(openLane(format, format, context).losses?.() ?? undefined, undefined);
});

test('proofs of other formats do not reach a chat provider of the client’s own format', () => {
  const foreign = 'tg1.anthropic-messages.AAAA';
  const google = (signature: string) => ({ google: { thought_signature: signature } });
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
  const own = { type: 'reasoning.text', text: 'ours', signature: 'real', index: 1 };
  const messages = [
    { role: 'developer', content: 'a quoted "tg1.x" is no proof' },
    {
      role: 'assistant',
      content: 'x',
      reasoning_details: [{ type: 'reasoning.text', text: 'theirs', signature: foreign, index: 0 }, own],
      tool_calls: [
        { ...call, extra_content: google('tg1.gemini-generate.BBBB') },
        { ...call, extra_content: google('real') },
      ],
    },
    {
      role: 'assistant',
      content: 'y',
      reasoning_details: [{ type: 'reasoning.encrypted', data: foreign, index: 0 }],
      extra_content: { ...google(foreign), other: 1 },
      thought_signature: foreign,
    },
  ];
  const { body, losses } = send('openai-chat', 'openai-chat', { model: 'model-1', messages }, 'model-1', [
    'no-developer-role',
  ]);
  assert.deepEqual(losses, [
    'messages[1].reasoning_details[0]',
    'messages[1].tool_calls[0].extra_content.google.thought_signature',
    'messages[2].thought_signature',
    'messages[2].extra_content.google.thought_signature',
    'messages[2].reasoning_details[0]',
  ]);
  assert.deepEqual(body.messages, [
    { role: 'system', content: 'a quoted "tg1.x" is no proof' },
    {
      role: 'assistant',
      content: 'x',
      reasoning_details: [own],
      tool_calls: [call, { ...call, extra_content: google('real') }],
    },
    { role: 'assistant', content: 'y', extra_content: { other: 1 } },
  ]);
});

test('proofs of other formats do not reach a Gemini provider from a Gemini client', () => {
  const foreign = Buffer.from('tg1.openai-chat.proof').toString('base64');
  const functionCall = { name: 'f', args: {} };
  const contents = [
    { role: 'user', parts: [{ text: 'One' }] },
    { role: 'model', parts: [{ text: 'thought', thought: true, thoughtSignature: foreign }] },
    {
      role: 'model',
      parts: [
        { text: '', thoughtSignature: foreign },
        { text: 'said', thought_signature: foreign },
        { functionCall, thoughtSignature: foreign },
        { text: 'kept', thoughtSignature: 'cmVhbA==' },
      ],
    },
  ];
  const sent = (model: string): unknown => {
    const { body, losses } = send('gemini-generate', 'gemini-generate', { contents }, model);
    assert.deepEqual(losses, [
      'contents[1].parts[0]',
      'contents[2].parts[0]',
      'contents[2].parts[1].thoughtSignature',
      'contents[2].parts[2].thoughtSignature',
    ]);
    return body.contents;
  };
  const expected = (call: object): unknown => [
    { role: 'user', parts: [{ text: 'One' }] },
    { role: 'model', parts: [{ text: 'said' }, call, { text: 'kept', thoughtSignature: 'cmVhbA==' }] },
  ];
  assert.deepEqual(sent('gemini-2.5-flash'), expected({ functionCall }));
  const standIn = 'skip_thought_signature_validator';
  assert.deepEqual(sent('gemini-3-pro'), expected({ functionCall, thoughtSignature: standIn }));
});

test('proofs of other formats, and thoughts without one, do not reach Claude from a client of its own format', () => {
  const own = { type: 'thinking', thinking: 'ours', signature: 'real' };
  const said = { type: 'text', text: 'a quoted "tg1.x" is no proof' };
  const messages = [
    { role: 'user', content: 'One' },
    { role: 'assistant', content: [{ type: 'thinking', thinking: 'theirs', signature: 'tg1.none.' }, own, said] },
    { role: 'user', content: 'Two' },
    { role: 'assistant', content: [{ type: 'redacted_thinking', data: 'tg1.gemini-generate.text:AAAA' }, said] },
    { role: 'user', content: 'Three' },
  ];
  const asked = { model: 'model-1', max_tokens: 10, messages };
  const { body, losses } = send('anthropic-messages', 'anthropic-messages', asked);
  assert.deepEqual(losses, ['messages[1].content[0]', 'messages[3].content[0]']);
  const kept = [messages[0], { role: 'assistant', content: [own, said] }, messages[2]];
  assert.deepEqual(body.messages, [...kept, { role: 'assistant', content: [said] }, messages[4]]);
});

test('the same format loses nothing where there is nothing foreign', () => {
  const quoted = 'a quoted "tg1.x" and "dGcxL" are no proofs';
  const messages = [{ role: 'user', content: quoted }];
  const contents = [{ role: 'user', parts: [{ text: quoted }] }];
  const asked = { model: 'model-1', max_tokens: 10, messages };
  for (const format of formats) {
    const sent = send(format, format, format === 'gemini-generate' ? { contents } : asked);
    assert.deepEqual(sent.losses, [], format);
  }
});
