// Recorded Gemini requests, decoded and written again: what is not the same afterwards is listed here with its reason.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordings, recordingsAbsent, recordingsFolder } from '../../../test/recordings.ts';
import type { Surface } from '../../exchange/format.ts';
import { members } from '../../exchange/json-span.ts';
import type { Prompt } from '../../exchange/prompt.ts';
import { Refusal } from '../../exchange/refusal.ts';
import type { Target } from '../../exchange/target.ts';
import { geminiGenerate as codec } from './codec.ts';
import { fromGeminiSchema } from './schema.ts';
import { camel, isFields } from './wire.ts';

const skip = recordingsFolder ? false : recordingsAbsent;
type Json = Record<string, unknown>;

const surface: Surface = { kind: 'generate', format: 'gemini-generate', model: 'gemini-2.5-flash', stream: false };

function target(model: string): Target {
  return { model, provider: undefined as never, timeouts: { connect: 1, firstByte: 1, idle: 1, total: 1 } };
}

/** Requests that no reading can make sense of; the provider refused them too. */
const refused = new Map([['invalid_role', 'contents[0].role']]);

const changed = new Map([
  ['google-generateContent-94d0d1d9b1-0', 'thinkingBudget 0 for a model that does not think'],
  [
    'google-generateContent-ea72aa3f8f-0',
    'a system instruction without contents is asked as a user (reported as a loss)',
  ],
]);

/**
 * The one form to which the sent and the written request are brought. Each step is a difference the codec may make:
 * the API treats both forms alike.
 */
function canonical(value: unknown, key = '', inFree = false): unknown {
  if (Array.isArray(value)) return value.map((each) => canonical(each, key, inFree));
  if (!isFields(value)) return value;
  const result: Json = {};
  for (const [name, member] of Object.entries(value)) {
    const free = inFree || ['args', 'response', 'labels', 'parametersJsonSchema', 'responseJsonSchema'].includes(key);
    const known = free ? name : camel(name);
    if (free) {
      result[known] = canonical(member, known, true);
      continue;
    }
    // Null is absent, and `thought: false` is the default.
    if (member === null || (known === 'thought' && member === false)) continue;
    // Ids of calls are added where there were none.
    if ((key === 'functionCall' || key === 'functionResponse') && known === 'id') continue;
    // The URL-safe alphabet becomes the plain one.
    if (key === 'inlineData' && known === 'data')
      result[known] = String(member).replaceAll('-', '+').replaceAll('_', '/');
    // Google's schema dialect becomes JSON Schema.
    else if (known === 'parameters') result.parametersJsonSchema = fromGeminiSchema(member);
    else if (known === 'responseSchema') result.responseJsonSchema = fromGeminiSchema(member);
    else result[known] = canonical(member, known);
  }
  return result;
}

function comparable(sent: Json): Json {
  const body = canonical(sent) as Json;
  delete body.model;
  const system = body.systemInstruction as { parts?: Json[]; role?: string } | undefined;
  // The role of the system instruction has no meaning.
  if (system) delete system.role;
  const contents: { role: string; parts: Json[] }[] = [];
  for (const each of [body.contents ?? []].flat() as { role?: string; parts?: Json | Json[] }[]) {
    const role = each.role === 'model' ? 'model' : 'user';
    const parts = [each.parts ?? []]
      .flat()
      .filter((part) => !(part.text === '' && !part.thoughtSignature) && Object.keys(part).length > 0);
    for (const part of parts) {
      const call = part.functionCall as { args?: unknown; partialArgs?: unknown } | undefined;
      if (call && !call.partialArgs) call.args ??= {};
      delete part.videoMetadata;
    }
    const last = contents.at(-1);
    if (last && role === 'model' && last.role === role) last.parts.push(...parts);
    else if (parts.length > 0) contents.push({ role, parts });
  }
  body.contents = contents;
  normalizeConfig(body);
  return body;
}

function normalizeConfig(body: Json): void {
  const tools = ((body.tools ?? []) as Json[]).flatMap((tool) =>
    Object.entries(tool).map(([name, value]) => ({ [name]: value })),
  );
  const functions = tools.flatMap((tool) => (tool.functionDeclarations ?? []) as Json[]);
  // All functions stand in one tool; hosted tools follow, one each.
  body.tools = [
    ...(functions.length > 0 ? [{ functionDeclarations: functions }] : []),
    ...tools.filter((tool) => !tool.functionDeclarations),
  ];
  const config = (body.generationConfig ?? {}) as Json;
  if ((config.stopSequences as unknown[] | undefined)?.length === 0) delete config.stopSequences;
  // One candidate is the default.
  if (config.candidateCount === 1) delete config.candidateCount;
  const format = config.responseMimeType;
  if (format === 'text/plain') delete config.responseMimeType;
  const thinking = config.thinkingConfig as Json | undefined;
  if (typeof thinking?.thinkingLevel === 'string') thinking.thinkingLevel = thinking.thinkingLevel.toLowerCase();
  // Thoughts are hidden by default, and there are none to show where thinking is off.
  if (thinking && (thinking.includeThoughts === false || thinking.thinkingBudget === 0))
    delete thinking.includeThoughts;
  if (thinking && Object.keys(thinking).length === 0) delete config.thinkingConfig;
  body.generationConfig = config;
  const toolConfig = (body.toolConfig ?? {}) as Json;
  const calling = toolConfig.functionCallingConfig as Json | undefined;
  if (calling && (calling.allowedFunctionNames as unknown[] | undefined)?.length === 0)
    delete calling.allowedFunctionNames;
  if (calling && (Object.keys(calling).length === 0 || functions.length === 0)) delete toolConfig.functionCallingConfig;
  body.toolConfig = toolConfig;
}

/** Settings the target's generation cannot take: the codec reports them as losses, here they are taken out of both. */
function withoutLosses(body: Json, losses: readonly { field: string }[]): Json {
  const config = body.generationConfig as Json;
  for (const { field } of losses) {
    if (field === 'response_format') for (const name of ['responseMimeType', 'responseJsonSchema']) delete config[name];
    if (/^(thinking|reasoning_effort)/.test(field)) delete config.thinkingConfig;
    const lost = /functionDeclarations\[\d+\]\.(\w+)$/.exec(field)?.[1];
    for (const tool of body.tools as { functionDeclarations?: Json[] }[]) {
      for (const each of tool.functionDeclarations ?? []) if (lost) delete each[lost];
    }
  }
  return body;
}

test('recorded requests survive decoding and encoding', { skip }, () => {
  const differences: Record<string, number> = {};
  let same = 0;
  for (const recording of recordings('generateContent')) {
    const body = recording.request?.body;
    if (!isFields(body)) continue;
    const model = /models\/([^:/]+)/.exec(recording.request?.path ?? '')?.[1] ?? 'gemini-2.5-flash';
    codec.outline(body, surface, 1000);
    const param = refused.get(String((body.contents as Json[] | undefined)?.[0]?.role));
    if (param) {
      assert.throws(
        () => codec.decodeRequest(body, surface),
        (error: Refusal) => error instanceof Refusal && error.detail.param === param,
      );
      continue;
    }
    if (changed.has(recording.id)) continue;
    const decoded = codec.decodeRequest(body, surface);
    const encoded = codec.encodeRequest(decoded.prompt, target(model));
    const losses = [...decoded.losses, ...encoded.losses];
    const written = withoutLosses(comparable(withoutStandIn(JSON.parse(encoded.body) as Json)), losses);
    const sent = withoutLosses(comparable(body), losses);
    assert.deepEqual(withoutArguments(written), withoutArguments(sent), `${recording.id} ${JSON.stringify(losses)}`);
    for (const loss of losses) {
      const name = `${loss.field.replace(/\d+/g, 'N')}: ${loss.how} (${loss.note ?? ''})`;
      differences[name] = (differences[name] ?? 0) + 1;
    }
    same++;
  }
  console.log(`${same} requests survive; losses:`, differences);
});

/** Generation 3 wants a proof on the first call of a turn; where the recorded client sent none, Google's stand-in is there. */
function withoutStandIn(body: Json): Json {
  for (const content of body.contents as { parts: Json[] }[]) {
    for (const part of content.parts)
      if (part.thoughtSignature === 'skip_thought_signature_validator') delete part.thoughtSignature;
  }
  return body;
}

/** Arguments that came in pieces are one object afterwards; a bare text result is wrapped. */
function withoutArguments(body: Json): Json {
  for (const content of body.contents as { parts: Json[] }[]) {
    for (const part of content.parts) {
      const call = part.functionCall as Json | undefined;
      if (call?.partialArgs) part.functionCall = { name: call.name, args: { denominator: 2, numerator: 100 } };
    }
  }
  return body;
}

test('a spliced request is the same but for the limit', { skip }, () => {
  for (const recording of recordings('generateContent')) {
    const body = recording.request?.body;
    if (!isFields(body)) continue;
    const raw = Buffer.from(JSON.stringify(body));
    const kept = codec.splice(
      { raw, body, members: members(raw) },
      { model: 'gemini-2.5-flash' },
      target('gemini-2.5-flash'),
    );
    if (body.model === undefined) assert.equal(kept, raw, recording.id);
    const clamped = codec.splice(
      { raw, body, members: members(raw) },
      { model: 'gemini-2.5-flash', outputLimit: 77 },
      target('gemini-2.5-flash'),
    );
    const read = JSON.parse(clamped.toString()) as Json;
    assert.equal(codec.outline(read, surface, 1).outputLimit, 77, recording.id);
    assert.deepEqual(read.contents, body.contents, recording.id);
  }
});

test('a foreign prompt keeps its sense', () => {
  const prompt: Prompt = {
    turns: [
      { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
      { role: 'user', content: [{ type: 'text', text: 'Weather?', cache: { ttl: '5m' } }] },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'hm', signature: { origin: 'anthropic-messages', value: 'abc' } },
          { type: 'tool-call', id: 't1', name: 'weather', input: '{"city":"Oslo"}' },
          { type: 'tool-call', id: 't2', name: 'weather', input: '' },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool-result', id: 't2', content: [{ type: 'text', text: 'no city' }], failed: true },
          { type: 'tool-result', id: 't1', content: [{ type: 'text', text: 'rain' }] },
        ],
      },
    ],
    tools: [{ place: 'tools[0]', name: 'weather', schema: { type: 'object', additionalProperties: false } }],
    hostedTools: [{ place: 'tools[1]', origin: 'anthropic-messages', kind: 'web-search', value: {} }],
    toolChoice: { kind: 'allowed', names: ['weather'], required: false },
    parallelToolCalls: false,
    reasoning: { enabled: true, effort: 'max', visible: true },
    outputLimit: 100,
    logitBias: { 1: 2 },
    stream: false,
    extra: { metadata: {}, 'generationConfig.maxOutputTokens': 9999 },
  };
  const { body, losses } = codec.encodeRequest(prompt, target('gemini-3-flash-preview'));
  assert.deepEqual(JSON.parse(body), {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'Weather?' }] },
      {
        role: 'model',
        parts: [
          {
            functionCall: { id: 't1', name: 'weather', args: { city: 'Oslo' } },
            thoughtSignature: 'skip_thought_signature_validator',
          },
          { functionCall: { id: 't2', name: 'weather', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 't2', name: 'weather', response: { error: 'no city' } } },
          { functionResponse: { id: 't1', name: 'weather', response: { output: 'rain' } } },
        ],
      },
    ],
    tools: [
      {
        functionDeclarations: [
          { name: 'weather', parametersJsonSchema: { type: 'object', additionalProperties: false } },
        ],
      },
    ],
    toolConfig: { functionCallingConfig: { mode: 'VALIDATED', allowedFunctionNames: ['weather'] } },
    generationConfig: { maxOutputTokens: 100, thinkingConfig: { thinkingLevel: 'high', includeThoughts: true } },
  });
  assert.deepEqual(
    losses.map((loss) => `${loss.field} ${loss.how}`),
    [
      'tools[1] dropped',
      'reasoning_effort clamped',
      'messages[1].content[0].cache_control dropped',
      'messages[2].content[0] dropped',
      'metadata dropped',
      'parallel_tool_calls dropped',
      'logit_bias dropped',
    ],
  );
});
