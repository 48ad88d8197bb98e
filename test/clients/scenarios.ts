// What every client must be able to do with every provider. One list; the table in clients.test.ts runs all of it.

import assert from 'node:assert/strict';
import type { Answer, Ask, Tool } from './driver.ts';
import { failures } from './failures.ts';
import { hello, last, type Place, type Scenario, said, usage, words } from './place.ts';

const schema = {
  type: 'object',
  properties: {
    city: { type: 'string', description: 'Its name in English' },
    unit: { type: 'string', enum: ['celsius', 'fahrenheit'] },
    days: { type: 'array', items: { type: 'integer' } },
  },
  required: ['city', 'unit', 'days'],
  additionalProperties: false,
} as const;
const weather: Tool = { name: 'get_weather', description: 'Weather of a city', schema };
const time: Tool = {
  name: 'get_time',
  description: 'Local time',
  schema: { type: 'object', properties: { zone: { type: 'string' } }, required: ['zone'] },
};
const weatherInput = { city: 'Zürich “Nord”\n', unit: 'celsius', days: [1, 2] };
const calls = [
  { id: 'toolu_01A09q90qw90lq917835lq9', name: 'get_weather', input: weatherInput },
  { id: 'toolu_01T1x1fJ34qAmk2tNTrN7Up6', name: 'get_time', input: { zone: 'Europe/Zurich' } },
];

const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

async function text({ driver, provider, target }: Place, stream: boolean): Promise<void> {
  provider.play(said({ text: words }));
  const ask = hello(target.model);
  const answer = await (stream ? driver.stream(ask) : driver.ask(ask));
  assert.equal(answer.text, words);
  assert.deepEqual(answer.calls, []);
  const seen = last(provider, 1);
  assert.equal(seen.model, target.model);
  assert.equal(seen.stream, stream);
  assert.deepEqual(seen.spoken, ['user: Hello']);
}

async function turns({ driver, provider, target }: Place): Promise<void> {
  provider.play(said({ text: 'Basel.' }));
  const system = 'Answer in one word.\nNever shout.';
  const first = await driver.ask({
    model: target.model,
    system,
    turns: [
      { role: 'user', text: 'Capital of Switzerland?' },
      { role: 'assistant', text: 'Bern.' },
      { role: 'user', text: 'And where is the Rhine?' },
    ],
  });
  assert.equal(first.text, 'Basel.');
  const seen = last(provider, 1);
  assert.equal(seen.system, system);
  assert.deepEqual(seen.spoken, ['user: Capital of Switzerland?', 'assistant: Bern.', 'user: And where is the Rhine?']);
}

async function tools({ driver, provider, target }: Place, stream: boolean): Promise<void> {
  provider.play(said({ text: 'Let me look.', calls }), said({ text: words }));
  const ask = (value: Ask): Promise<Answer> => (stream ? driver.stream(value) : driver.ask(value));
  const question: Ask = {
    model: target.model,
    tools: [weather, time],
    turns: [{ role: 'user', text: 'Weather and time in Zürich?' }],
  };
  const first = await ask(question);
  assert.equal(first.text, 'Let me look.');
  assert.deepEqual(
    first.calls.map(({ name, input }) => ({ name, input })),
    calls.map(({ name, input }) => ({ name, input })),
  );
  assert.equal(new Set(first.calls.map(({ id }) => id)).size, 2, 'two calls, two ids');
  assert.deepEqual(last(provider, 1).tools, [weather, time]);
  const values = ['{"celsius":18}', '14:05'];
  // Results are given in the other order: they belong to their call and not to their place.
  const results = first.calls.map((call, index) => ({ call, value: values[index] ?? '' })).reverse();
  const second = await ask({
    ...question,
    turns: [...question.turns, { role: 'back', answer: first }, { role: 'results', results }],
  });
  assert.equal(second.text, words);
  const seen = last(provider, 2);
  assert.deepEqual(
    seen.calls,
    calls.map(({ name, input }) => ({ name, input })),
  );
  assert.deepEqual(
    [...seen.results].sort((a, b) => a.name.localeCompare(b.name)),
    [
      { name: 'get_time', value: '14:05' },
      { name: 'get_weather', value: '{"celsius":18}' },
    ],
  );
}

async function structured({ driver, provider, target }: Place): Promise<void> {
  provider.play(said({ text: JSON.stringify(weatherInput) }));
  const answer = await driver.ask({ ...hello(target.model), schema });
  assert.deepEqual(answer.parsed, weatherInput);
  assert.deepEqual(last(provider, 1).schema, schema);
}

async function picture({ driver, provider, target }: Place, remote: boolean): Promise<void> {
  provider.play(said({ text: 'A dot.' }));
  const url = 'https://example.com/dot.png?size=1&v=2';
  const image = remote ? { url } : { base64: pixel, mediaType: 'image/png' };
  const answer = await driver.ask({
    model: target.model,
    turns: [{ role: 'user', text: 'What is this?', images: [image] }],
  });
  assert.equal(answer.text, 'A dot.');
  const seen = last(provider, 1);
  assert.deepEqual(seen.images, [remote ? url : `data:image/png;base64,${pixel}`]);
  assert.deepEqual(seen.spoken, ['user: What is this?']);
}

/** `whole`: the library shows the thoughts and gives their proof back; without, it must at least get its second answer. */
async function thoughts({ driver, provider, target }: Place, stream: boolean, whole: boolean): Promise<void> {
  const reasoning = { text: 'The user wants weather; I ask the tool.', signature: 'EqQBCkYIARgCKkDk+/Zj3x9Q==' };
  provider.play(said({ reasoning, calls: calls.slice(0, 1) }, { ...usage, reasoning: 12 }), said({ text: words }));
  const ask = (value: Ask): Promise<Answer> => (stream ? driver.stream(value) : driver.ask(value));
  const question: Ask = {
    model: target.model,
    thinks: true,
    tools: [weather],
    turns: [{ role: 'user', text: 'Weather in Zürich?' }],
  };
  const first = await ask(question);
  if (whole) assert.equal(first.reasoning, reasoning.text);
  assert.equal(last(provider, 1).thinks, true);
  const results = first.calls.map((call) => ({ call, value: '18' }));
  const second = await ask({
    ...question,
    turns: [...question.turns, { role: 'back', answer: first }, { role: 'results', results }],
  });
  assert.equal(second.text, words);
  if (!whole) return;
  const { signatures, thoughts } = last(provider, 2);
  const proofs = signatures.filter((each) => each !== '');
  assert.deepEqual(proofs, [reasoning.signature], 'the proof came back to who made it');
  if (thoughts) assert.deepEqual(thoughts, [reasoning.text], 'a proof is for the words it came with');
}

async function money({ driver, provider, target }: Place, stream: boolean): Promise<void> {
  provider.play(said({ text: words }));
  const answer = await (stream ? driver.stream(hello(target.model)) : driver.ask(hello(target.model)));
  assert.deepEqual(answer.usage, usage);
  const nano = (target.price.input * usage.input + target.price.output * usage.output) * 1000;
  assert.equal(Math.round((answer.cost ?? Number.NaN) * 1e9), Math.ceil(nano));
}

export const scenarios: readonly Scenario[] = [
  { name: 'text', run: (place) => text(place, false) },
  { name: 'text, streamed', run: (place) => text(place, true) },
  { name: 'system and earlier turns', run: turns },
  { name: 'parallel tools and their results', run: (place) => tools(place, false) },
  { name: 'parallel tools and their results, streamed', run: (place) => tools(place, true) },
  { name: 'structured output', run: structured },
  { name: 'a picture in base64', run: (place) => picture(place, false) },
  { name: 'a picture by address', run: (place) => picture(place, true) },
  { name: 'a turn after reasoning', run: (place) => thoughts(place, false, false) },
  { name: 'a turn after reasoning, streamed', run: (place) => thoughts(place, true, false) },
  { name: 'reasoning and its proof there and back', run: (place) => thoughts(place, false, true) },
  { name: 'reasoning and its proof there and back, streamed', run: (place) => thoughts(place, true, true) },
  { name: 'usage and cost', run: (place) => money(place, false) },
  { name: 'usage and cost, streamed', run: (place) => money(place, true) },
  ...failures,
];
