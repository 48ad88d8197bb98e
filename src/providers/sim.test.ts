import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { simModels, simulate } from './sim.ts';
import { valueFor } from './sim-schema.ts';
import { tokensOf } from './sim-text.ts';

type Json = Record<string, unknown>;

const hello = [{ role: 'user', content: 'Say hello to the world.' }];
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

function play(body: Json, stream = false) {
  return simulate(Buffer.from(JSON.stringify({ model: 'sim-small', messages: hello, ...body })), stream);
}

function textOf(script: ReturnType<typeof simulate>): string {
  return Buffer.concat(script.steps.map(({ bytes }) => bytes)).toString('utf8');
}

interface Answer {
  choices: {
    index: number;
    finish_reason: string;
    message: {
      content: string | null;
      reasoning_content?: string;
      tool_calls?: { function: { name: string; arguments: string } }[];
    };
  }[];
  usage: { prompt_tokens: number; completion_tokens: number; completion_tokens_details: { reasoning_tokens: number } };
}

function answer(body: Json): Answer {
  return JSON.parse(textOf(play(body))) as Answer;
}

interface Chunk {
  choices: {
    index: number;
    finish_reason: string | null;
    delta: {
      content?: string;
      reasoning_content?: string;
      tool_calls?: { index: number; function: { name?: string; arguments: string } }[];
    };
  }[];
  usage?: Answer['usage'] | null;
}

function chunks(body: Json): Chunk[] {
  const events = textOf(play(body, true)).split('\n\n').filter(Boolean);
  assert.equal(events.pop(), 'data: [DONE]');
  return events.map((event) => JSON.parse(event.slice('data: '.length)) as Chunk);
}

test('the same prompt gives the same answer, another prompt another one', () => {
  assert.equal(textOf(play({})), textOf(play({})));
  assert.notEqual(
    answer({}).choices[0]?.message.content,
    answer({ messages: [{ role: 'user', content: 'Something else' }] }).choices[0]?.message.content,
  );
});

test('usage counts exactly the tokens of the text, whole and streamed', () => {
  for (const model of ['sim-small', 'sim-large', 'sim-long', 'sim-reasoner', 'sim-slow']) {
    const whole = answer({ model });
    const message = whole.choices[0]?.message;
    const reasoning = tokensOf(message?.reasoning_content ?? '').length;
    assert.equal(whole.usage.completion_tokens, tokensOf(message?.content ?? '').length + reasoning, model);
    assert.equal(whole.usage.completion_tokens_details.reasoning_tokens, reasoning);
    const list = chunks({ model, stream_options: { include_usage: true } });
    const content = list.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    assert.equal(content, message?.content, model);
    const last = list.at(-1);
    assert.deepEqual(last?.choices, []);
    assert.deepEqual(last?.usage, whole.usage);
    for (const chunk of list.slice(0, -1)) assert.equal(chunk.usage, null);
  }
});

test('a stream has no usage unless asked, and ends with a finish reason for each choice', () => {
  const list = chunks({ n: 3 });
  assert.ok(list.every((chunk) => !('usage' in chunk)));
  const finished = list.flatMap(({ choices }) => choices).filter((choice) => choice.finish_reason);
  assert.deepEqual(
    finished.map((choice) => [choice.index, choice.finish_reason]),
    [
      [0, 'stop'],
      [1, 'stop'],
      [2, 'stop'],
    ],
  );
});

test('the output limit is honoured to the token, for text, reasoning and tool arguments', () => {
  for (const [more, least] of [
    [{}, 20],
    [{ model: 'sim-reasoner' }, 20],
    [{ tools: [weather], tool_choice: 'required' }, 6],
  ] as [Json, number][]) {
    const all = answer(more).usage.completion_tokens;
    assert.ok(all > least);
    for (const limit of [1, 5, least, all - 1]) {
      const cut = answer({ ...more, max_tokens: limit });
      assert.equal(cut.usage.completion_tokens, limit);
      assert.equal(cut.choices[0]?.finish_reason, 'length');
    }
    assert.notEqual(answer({ ...more, max_completion_tokens: all }).choices[0]?.finish_reason, 'length');
  }
});

test('a stop sequence ends the text before it', () => {
  const cut = answer({ stop: ['built-in'] });
  assert.equal(cut.choices[0]?.message.content, 'This is sim-small, the ');
  assert.equal(cut.choices[0]?.finish_reason, 'stop');
});

const toolCases: [string, Json, string[]][] = [
  ['a question', { messages: [{ role: 'user', content: 'How is it in Paris?' }], tools: [weather] }, ['get_weather']],
  [
    'a word of the name',
    { messages: [{ role: 'user', content: 'weather, please' }], tools: [weather] },
    ['get_weather'],
  ],
  ['nothing asked', { tools: [weather] }, []],
  ['required', { tools: [weather], tool_choice: 'required' }, ['get_weather']],
  [
    'named',
    {
      tools: [weather, { type: 'function', function: { name: 'other' } }],
      tool_choice: { type: 'function', function: { name: 'other' } },
    },
    ['other'],
  ],
  ['none', { messages: [{ role: 'user', content: 'weather?' }], tools: [weather], tool_choice: 'none' }, []],
  [
    'both',
    {
      messages: [{ role: 'user', content: 'use both' }],
      tools: [weather, { type: 'function', function: { name: 'other' } }],
    },
    ['get_weather', 'other'],
  ],
  [
    'after the result',
    {
      messages: [
        { role: 'user', content: 'weather?' },
        { role: 'assistant', content: null, tool_calls: [] },
        { role: 'tool', tool_call_id: 'x', content: 'sunny?' },
      ],
      tools: [weather],
    },
    [],
  ],
];

test('tools are called when the last message asks or the choice demands it', () => {
  for (const [name, body, expected] of toolCases) {
    const { message, finish_reason } = answer(body).choices[0] ?? assert.fail();
    const calls = message.tool_calls ?? [];
    assert.deepEqual(
      calls.map((call) => call.function.name),
      expected,
      name,
    );
    assert.equal(finish_reason, expected.length > 0 ? 'tool_calls' : 'stop', name);
    const streamed = chunks(body).flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
    for (const [index, call] of calls.entries()) {
      const pieces = streamed.filter((one) => one.index === index).map((one) => one.function.arguments);
      assert.equal(pieces.join(''), call.function.arguments, name);
      assert.equal(typeof JSON.parse(call.function.arguments), 'object');
    }
  }
});

test('structured output is JSON that fits its schema', () => {
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 4 },
      age: { type: 'integer', minimum: 18 },
      kind: { enum: ['a', 'b'] },
      tags: { type: 'array', items: { $ref: '#/$defs/tag' }, minItems: 2 },
      next: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
    },
    required: ['name', 'age', 'kind', 'tags'],
    $defs: { tag: { type: 'string', format: 'date' } },
  };
  const body = { response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } };
  const value = JSON.parse(answer(body).choices[0]?.message.content ?? '') as Json;
  assert.equal(value.name, 'simu');
  assert.equal(value.age, 18);
  assert.equal(value.kind, 'a');
  assert.deepEqual(value.tags, ['2026-01-01', '2026-01-01']);
  const object = answer({ response_format: { type: 'json_object' } });
  assert.equal(typeof JSON.parse(object.choices[0]?.message.content ?? ''), 'object');
});

test('a value fits the numbers and sizes of its schema', () => {
  for (const [schema, expected] of [
    [{ type: 'number', exclusiveMinimum: 2 }, 3],
    [{ type: 'integer', multipleOf: 5, minimum: 7 }, 10],
    [{ type: 'number', maximum: 0.5 }, 0.5],
    [{ type: ['null', 'boolean'] }, true],
    [{ const: 7 }, 7],
    [{ allOf: [{ properties: { a: { const: 1 } } }, { properties: { b: { const: 2 } } }] }, { a: 1, b: 2 }],
    [{ type: 'array', maxItems: 0 }, []],
    [{ type: 'string', minLength: 12 }, 'simulated...'],
  ] as [unknown, unknown][]) {
    assert.deepEqual(valueFor(schema), expected, JSON.stringify(schema));
  }
});

test('failures come by name', () => {
  const facts = Object.fromEntries(
    simModels.map((model) => {
      const { status, ends, steps } = play({ model }, true);
      return [model, `${status} ${ends} ${steps.length === 0 ? 'silent' : 'speaks'}`];
    }),
  );
  assert.deepEqual(facts, {
    'sim-small': '200 end speaks',
    'sim-large': '200 end speaks',
    'sim-long': '200 end speaks',
    'sim-slow': '200 end speaks',
    'sim-reasoner': '200 end speaks',
    'sim-error-400': '400 end speaks',
    'sim-error-401': '401 end speaks',
    'sim-error-429': '429 end speaks',
    'sim-error-quota': '429 end speaks',
    'sim-error-500': '500 end speaks',
    'sim-error-overloaded': '503 end speaks',
    'sim-error-html': '502 end speaks',
    'sim-error-timeout': '200 never silent',
    'sim-error-cut': '200 cut speaks',
    'sim-error-mid-stream-error': '200 end speaks',
  });
  assert.ok(!textOf(play({ model: 'sim-error-cut' }, true)).includes('[DONE]'));
  const broken = textOf(play({ model: 'sim-error-mid-stream-error' }, true));
  assert.match(broken, /"content":"[^"]+"/);
  assert.match(broken, /\n\ndata: \{"error":\{[^\n]*\n\n$/);
  assert.throws(() => JSON.parse(textOf(play({ model: 'sim-error-cut' }))));
});

test('an unknown model is told which ones there are', () => {
  const script = play({ model: 'sim-medium' });
  assert.equal(script.status, 404);
  for (const model of simModels) assert.ok(textOf(script).includes(model));
});

test('what cannot be answered is a 400 that names the field', () => {
  for (const [body, param] of [
    [{ messages: 'hi' }, 'messages'],
    [{ messages: [] }, 'messages'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ n: 1.5 }, 'n'],
  ] as [Json, string][]) {
    const script = play(body);
    assert.equal(script.status, 400);
    assert.equal((JSON.parse(textOf(script)) as { error: Json }).error.param, param);
  }
  assert.equal(simulate(Buffer.from('not json'), false).status, 400);
});

test('tokens join to the text, and a text made of tokens counts the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, limit) => {
      const tokens = tokensOf(text);
      assert.equal(tokens.join(''), text);
      const cut = tokens.slice(0, limit);
      assert.equal(tokensOf(cut.join('')).length, cut.length);
    }),
    { seed: 11, numRuns: 300 },
  );
});

test('no request makes it throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), fc.boolean(), (messages, tools, choice, stream) => {
      const body = {
        model: 'sim-small',
        messages: [messages],
        tools,
        tool_choice: choice,
        response_format: choice,
        stop: tools,
      };
      const script = simulate(Buffer.from(JSON.stringify(body)), stream);
      assert.ok(script.status === 200 || script.status === 400);
    }),
    { seed: 12, numRuns: 300 },
  );
});
