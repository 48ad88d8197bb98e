// A key held to a cheap model reaches no other by what stands in its body, and buys nothing that has no price.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Format } from '../../src/exchange/format.ts';
import { ask, errorIn, formats, providerOf, requestOf, startWorld, type World } from '../faults/kit.ts';

let world: World;
before(async () => {
  world = await startWorld();
});
after(() => world.close());

type Fields = Readonly<Record<string, unknown>>;

/** Asks for the cheap model with these fields beside; the kit prices its input and its output, and nothing else. */
async function send(format: Format, fields: Fields | string, model = 'ok'): Promise<{ status: number; text: string }> {
  const { path, body } = requestOf(format, `${providerOf[format]}/${model}`, false);
  const whole = typeof fields === 'string' ? body.replace('{', `{${fields},`) : merged(body, fields);
  const calls = world.upstream.calls.length;
  const response = await ask(world, { path, body: whole });
  const text = await response.text();
  assert.equal(world.upstream.calls.length - calls, response.status === 200 ? 1 : 0, text);
  if (response.status !== 200) errorIn(format, text, response.headers.get('x-tollgate-request-id'));
  return { status: response.status, text };
}

const merged = (body: string, fields: Fields): string => JSON.stringify({ ...(JSON.parse(body) as Fields), ...fields });
const config = (fields: Fields): Fields => ({ generationConfig: fields });
const tool = (fields: Fields): Fields => ({ tools: [fields] });

const otherModels: Readonly<Record<Format, readonly Fields[]>> = {
  'openai-chat': [
    { models: ['dear/model'] },
    { models: ['chat/ok', 'dear/model'], route: 'fallback' },
    { fallbacks: [{ model: 'dear/model' }] },
    { preset: '@preset/dear' },
    { providerOptions: { gateway: { models: ['dear/model'] } } },
    { compound_custom: { models: { reasoning_model: 'dear/model' } } },
    { deferred: true },
  ],
  'anthropic-messages': [{ models: ['dear/model'] }, { fallbacks: [{ model: 'dear-model' }] }, { preset: 'dear' }],
  'gemini-generate': [
    config({ routingConfig: { manualMode: { modelName: 'dear-model' } } }),
    config({ routing_config: { autoMode: {} } }),
    config({ modelConfig: { featureSelectionPreference: 'PRIORITIZE_QUALITY' } }),
  ],
};

const unpriced: Readonly<Record<Format, readonly (readonly [Fields, RegExp])[]>> = {
  'openai-chat': [
    [{ plugins: [{ id: 'web' }] }, /plugin:web/],
    [{ plugins: [{ id: 'auto-router', allowed_models: ['*'] }] }, /plugin:auto-router/],
    [tool({ type: 'openrouter:advisor', parameters: { model: 'dear/model' } }), /openrouter:advisor/],
    [{ web_search_options: {} }, /web_search: 0.00/],
    [{ search_parameters: { mode: 'on' } }, /live_search/],
    [{ enable_search: true }, /web_search: 0.00/],
    [{ service_tier: 'priority' }, /services: \{ \W*priority/],
    [{ modalities: ['text', 'audio'] }, /output_audio: 0.00/],
    [{ modalities: ['image', 'text'] }, /output_image: 0.00/],
  ],
  'anthropic-messages': [
    [tool({ type: 'web_search_20260209', name: 'web_search' }), /web_search: 0.00/],
    [tool({ type: 'code_execution_20260120', name: 'code_execution' }), /code_execution/],
    [tool({ type: 'advisor_20260301', name: 'advisor', model: 'dear-model' }), /advisor/],
    [tool({ type: 'unheard_of_20270101', name: 'x' }), /tools: \{ \W*unheard_of\W/],
    [{ plugins: [{ id: 'web' }] }, /plugin:web/],
    [{ inference_geo: 'us' }, /inference_geo\.us/],
    [{ speed: 'fast' }, /services: \{ \W*fast/],
  ],
  'gemini-generate': [
    [tool({ google_search: {} }), /web_search: 0.00/],
    [tool({ exaAiSearch: {} }), /exa_ai_search/],
    [tool({ retrieval: { vertexAiSearch: {} } }), /tools: \{ \W*retrieval/],
    [{ modelArmorConfig: { promptTemplateName: 'x' } }, /model_armor/],
    [config({ responseModalities: ['AUDIO'] }), /output_audio: 0.00/],
    [config({ responseModalities: [1, 2] }), /output_image: 0.00/],
    [{ serviceTier: 'PRIORITY' }, /services: \{ \W*priority/],
  ],
};

const harmless: Readonly<Record<Format, readonly Fields[]>> = {
  'openai-chat': [
    { models: [], fallbacks: null, deferred: false, transforms: ['middle-out'], route: 'fallback' },
    { provider: { order: ['somebody'], data_collection: 'deny' }, modalities: ['text'], store: true, metadata: {} },
    tool({ type: 'function', function: { name: 'f', parameters: {} } }),
  ],
  'anthropic-messages': [
    { mcp_servers: [{ type: 'url', url: 'https://mcp.example', name: 'm' }], ...tool({ type: 'mcp_toolset' }) },
    { container: 'container_1', ...tool({ type: 'web_fetch_20260309', name: 'web_fetch' }) },
    tool({ type: 'tool_search_tool_bm25', name: 'find' }),
    { inference_geo: 'global' },
    tool({ name: 'f', input_schema: {} }),
  ],
  'gemini-generate': [
    tool({ urlContext: {}, code_execution: {}, functionDeclarations: [] }),
    config({ responseModalities: ['TEXT'], routingConfig: null }),
  ],
};

for (const format of formats) {
  for (const fields of otherModels[format])
    test(`${format}: ${JSON.stringify(fields)} reaches no other model`, async () => {
      const { status, text } = await send(format, fields);
      assert.equal(status, 400, text);
      assert.match(text, /parameter_refused/);
    });

  for (const [fields, says] of unpriced[format])
    test(`A10: ${format}: ${JSON.stringify(fields)} has no price and is not bought`, async () => {
      const { status, text } = await send(format, fields);
      assert.equal(status, 400, text);
      assert.match(text, /price_unknown/);
      assert.match(text, says);
    });

  for (const fields of harmless[format])
    test(`${format}: ${JSON.stringify(fields)} passes as it is`, async () => {
      const { status, text } = await send(format, fields);
      assert.equal(status, 200, text);
      const sent = JSON.parse(world.upstream.calls.at(-1)?.body ?? '') as Fields;
      for (const [name, value] of Object.entries(fields)) assert.deepEqual(sent[name], value);
    });
}

test('a search that the name of a model asks for has no price and is not bought', async () => {
  const { status, text } = await send('openai-chat', {}, 'ok:online');
  assert.equal(status, 400, text);
  assert.match(text, /web_search: 0.00/);
});

for (const field of ['"models":["dear/model"],"models":[]', '"plugins":[{"id":"web"}],"plugins":[]'])
  test(`a field that is written twice is no way round: ${field}`, async () => {
    const { status, text } = await send('openai-chat', field);
    assert.equal(status, 400, text);
    assert.match(text, /stands more than once/);
  });
