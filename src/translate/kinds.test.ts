// Fields of a type that their format does not have: refused before a crossing, left to the provider where nothing crosses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetOf } from '../../test/target.ts';
import { type Format, formats } from '../exchange/format.ts';
import { members } from '../exchange/json-span.ts';
import type { Refusal } from '../exchange/refusal.ts';
import type { Json } from './json.ts';
import { codecs, encodeRequest } from './translate.ts';

const bases: Readonly<Record<Format, Json>> = {
  'openai-chat': { model: 'm', messages: [{ role: 'user', content: 'Hi' }] },
  'anthropic-messages': { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] },
  'gemini-generate': { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
};

interface Sent {
  readonly raw: string;
  readonly body: string;
  readonly losses: readonly string[];
}

function send(client: Format, provider: Format, change: Json): Sent {
  const body = { ...bases[client], ...change };
  const raw = Buffer.from(JSON.stringify(body));
  const surface = { kind: 'generate', format: client, model: 'm', stream: false } as const;
  const outline = codecs[client].outline(body, surface, raw.length);
  const request = { raw, body, members: members(raw) };
  const sent = encodeRequest(client, request, surface, outline, targetOf(provider, [], 'm'), {});
  return { raw: String(raw), body: String(sent.body), losses: sent.losses.map((loss) => loss.field) };
}

const others = (client: Format): Format[] => formats.filter((format) => format !== client);

const chat = (...messages: unknown[]): Json => ({ messages: [{ role: 'user', content: 'Hi' }, ...messages] });
const says = (part: unknown): Json => chat({ role: 'user', content: [part] });
const calls = (call: unknown): Json => chat({ role: 'assistant', tool_calls: [call] });
const asks = (...content: unknown[]): Json => ({ messages: [{ role: 'user', content }] });
const parts = (...each: unknown[]): Json => ({ contents: [{ role: 'user', parts: each }] });
const config = (generationConfig: Json): Json => ({ generationConfig });

/** What is sent, the field that is named, and what it must be. */
type Row = readonly [Json, string, string];

const wrongs: Readonly<Record<Format, readonly Row[]>> = {
  'openai-chat': [
    [{ temperature: 'hot' }, 'temperature', 'a number'],
    [{ top_p: 'x' }, 'top_p', 'a number'],
    [{ top_k: [1] }, 'top_k', 'a number'],
    [{ seed: '5' }, 'seed', 'a number'],
    [{ presence_penalty: true }, 'presence_penalty', 'a number'],
    [{ logprobs: 1 }, 'logprobs', 'a boolean'],
    [{ top_logprobs: '2' }, 'top_logprobs', 'a number'],
    [{ logit_bias: 'x' }, 'logit_bias', 'an object'],
    [{ stop: 5 }, 'stop', 'a string or an array'],
    [{ stop: [1, 2] }, 'stop[0]', 'a string'],
    [{ stop: ['a', null] }, 'stop[1]', 'a string'],
    [{ tools: 'x' }, 'tools', 'an array'],
    [{ tools: {} }, 'tools', 'an array'],
    [{ tools: ['x'] }, 'tools[0]', 'an object'],
    [{ tools: [{ type: 'function', function: 'f' }] }, 'tools[0].function', 'an object'],
    [{ tools: [{ type: 'function', function: { name: 5 } }] }, 'tools[0].function.name', 'a string'],
    [
      { tools: [{ type: 'function', function: { name: 'f', parameters: '{}' } }] },
      'tools[0].function.parameters',
      'an object',
    ],
    [{ functions: 'x' }, 'functions', 'an array'],
    [{ functions: [{ name: 'f', description: 5 }] }, 'functions[0].description', 'a string'],
    [{ tool_choice: 5 }, 'tool_choice', 'a string or an object'],
    [{ function_call: true }, 'function_call', 'a string or an object'],
    [{ parallel_tool_calls: 'no' }, 'parallel_tool_calls', 'a boolean'],
    [{ reasoning_effort: 5 }, 'reasoning_effort', 'a string'],
    [{ reasoning: 'high' }, 'reasoning', 'an object'],
    [{ reasoning: { max_tokens: '9' } }, 'reasoning.max_tokens', 'a number'],
    [{ thinking: true }, 'thinking', 'an object'],
    [{ enable_thinking: 'yes' }, 'enable_thinking', 'a boolean'],
    [{ response_format: 'json' }, 'response_format', 'an object'],
    [
      { response_format: { type: 'json_schema', json_schema: { schema: '{}' } } },
      'response_format.json_schema.schema',
      'an object',
    ],
    [{ modalities: 'audio' }, 'modalities', 'an array'],
    [{ audio: 'alloy' }, 'audio', 'an object'],
    [{ verbosity: 3 }, 'verbosity', 'a string'],
    [{ user: 5 }, 'user', 'a string'],
    [{ service_tier: 5 }, 'service_tier', 'a string'],
    [{ web_search_options: true }, 'web_search_options', 'an object'],
    [chat(5), 'messages[1]', 'an object'],
    [chat(null), 'messages[1]', 'an object'],
    [chat({ content: 'x' }), 'messages[1].role', 'system, developer, user, assistant or tool'],
    [chat({ role: 5, content: 'x' }), 'messages[1].role', 'a string'],
    [chat({ role: 'user', content: 5 }), 'messages[1].content', 'a string or an array'],
    [chat({ role: 'user', content: 'x', name: 5 }), 'messages[1].name', 'a string'],
    [chat({ role: 'assistant', tool_calls: {} }), 'messages[1].tool_calls', 'an array'],
    [chat({ role: 'assistant', reasoning_content: [] }), 'messages[1].reasoning_content', 'a string'],
    [chat({ role: 'assistant', function_call: 'f' }), 'messages[1].function_call', 'an object'],
    [chat({ role: 'tool', tool_call_id: 5, content: 'x' }), 'messages[1].tool_call_id', 'a string'],
    [calls('f'), 'messages[1].tool_calls[0]', 'an object'],
    [calls({ id: 5, function: { name: 'f' } }), 'messages[1].tool_calls[0].id', 'a string'],
    [calls({ id: 'a', function: 'f' }), 'messages[1].tool_calls[0].function', 'an object'],
    [says(5), 'messages[1].content[0]', 'a string or an object'],
    [says({ type: 'text', text: 5 }), 'messages[1].content[0].text', 'a string'],
    [says({ type: 'image_url', image_url: 5 }), 'messages[1].content[0].image_url', 'a string or an object'],
    [says({ type: 'image_url', image_url: { url: 5 } }), 'messages[1].content[0].image_url.url', 'a string'],
    [says({ type: 'file', file: { file_id: 5 } }), 'messages[1].content[0].file.file_id', 'a string'],
  ],
  'anthropic-messages': [
    [{ system: { text: 'S' } }, 'system', 'a string or an array'],
    [{ system: ['S'] }, 'system[0]', 'an object'],
    [{ system: [{ type: 'text', text: 5 }] }, 'system[0].text', 'a string'],
    [{ temperature: 'hot' }, 'temperature', 'a number'],
    [{ top_p: {} }, 'top_p', 'a number'],
    [{ top_k: '5' }, 'top_k', 'a number'],
    [{ stop_sequences: 'END' }, 'stop_sequences', 'an array'],
    [{ stop_sequences: [5] }, 'stop_sequences[0]', 'a string'],
    [{ tool_choice: 'none' }, 'tool_choice', 'an object'],
    [{ tool_choice: { type: 'tool', name: 5 } }, 'tool_choice.name', 'a string'],
    [
      { tool_choice: { type: 'auto', disable_parallel_tool_use: 'yes' } },
      'tool_choice.disable_parallel_tool_use',
      'a boolean',
    ],
    [{ thinking: true }, 'thinking', 'an object'],
    [{ thinking: { type: 'enabled', budget_tokens: '9' } }, 'thinking.budget_tokens', 'a number'],
    [{ output_config: 'high' }, 'output_config', 'an object'],
    [{ output_config: { effort: 5 } }, 'output_config.effort', 'a string'],
    [{ output_format: 'json' }, 'output_format', 'an object'],
    [{ metadata: 'me' }, 'metadata', 'an object'],
    [{ metadata: { user_id: 5 } }, 'metadata.user_id', 'a string'],
    [{ service_tier: 5 }, 'service_tier', 'a string'],
    [{ tools: { name: 'f' } }, 'tools', 'an array'],
    [{ tools: ['f'] }, 'tools[0]', 'an object'],
    [{ tools: [{ name: 5 }] }, 'tools[0].name', 'a string'],
    [{ tools: [{ name: 'f', input_schema: true }] }, 'tools[0].input_schema', 'an object'],
    [{ messages: ['Hi'] }, 'messages[0]', 'an object'],
    [{ messages: [{ role: 5, content: 'Hi' }] }, 'messages[0].role', 'a string'],
    [{ messages: [{ role: 'user', content: 5 }] }, 'messages[0].content', 'a string or an array'],
    [{ messages: [{ role: 'user', content: { type: 'text' } }] }, 'messages[0].content', 'a string or an array'],
    [asks('Hi'), 'messages[0].content[0]', 'an object'],
    [asks({ type: 'text', text: 5 }), 'messages[0].content[0].text', 'a string'],
    [asks({ type: 'image', source: 'x' }), 'messages[0].content[0].source', 'an object'],
    [asks({ type: 'image', source: { type: 'url', url: 5 } }), 'messages[0].content[0].source.url', 'a string'],
    [asks({ type: 'tool_use', id: 5, name: 'f', input: {} }), 'messages[0].content[0].id', 'a string'],
    [asks({ type: 'tool_use', id: 'a', name: 'f', input: 'x' }), 'messages[0].content[0].input', 'an object'],
    [
      asks({ type: 'tool_result', tool_use_id: 'a', content: { type: 'text' } }),
      'messages[0].content[0].content',
      'a string or an array',
    ],
    [
      asks({ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 5 }] }),
      'messages[0].content[0].content[0].text',
      'a string',
    ],
    [asks({ type: 'tool_result', tool_use_id: 'a', is_error: 'yes' }), 'messages[0].content[0].is_error', 'a boolean'],
  ],
  'gemini-generate': [
    [config({ temperature: 'hot' }), 'generationConfig.temperature', 'a number'],
    [{ generation_config: { top_p: 'x' } }, 'generation_config.top_p', 'a number'],
    [config({ seed: true }), 'generationConfig.seed', 'a number'],
    [config({ stopSequences: [5] }), 'generationConfig.stopSequences[0]', 'a string'],
    [config({ stopSequences: 5 }), 'generationConfig.stopSequences', 'a string or an array'],
    [config({ responseLogprobs: 'yes' }), 'generationConfig.responseLogprobs', 'a boolean'],
    [config({ responseMimeType: 5 }), 'generationConfig.responseMimeType', 'a string'],
    [config({ responseSchema: 'x' }), 'generationConfig.responseSchema', 'an object'],
    [config({ responseModalities: {} }), 'generationConfig.responseModalities', 'a string, a number or an array'],
    [config({ thinkingConfig: true }), 'generationConfig.thinkingConfig', 'an object'],
    [config({ thinkingConfig: { thinkingBudget: 'x' } }), 'generationConfig.thinkingConfig.thinkingBudget', 'a number'],
    [
      config({ thinkingConfig: { include_thoughts: 'yes' } }),
      'generationConfig.thinkingConfig.include_thoughts',
      'a boolean',
    ],
    [{ tools: 'x' }, 'tools', 'an object or an array'],
    [{ tools: ['x'] }, 'tools[0]', 'an object'],
    [{ tools: [{ functionDeclarations: 'f' }] }, 'tools[0].functionDeclarations', 'an object or an array'],
    [{ tools: [{ functionDeclarations: [{ name: 5 }] }] }, 'tools[0].functionDeclarations[0].name', 'a string'],
    [
      { tools: [{ function_declarations: [{ name: 'f', parameters: 'x' }] }] },
      'tools[0].function_declarations[0].parameters',
      'an object',
    ],
    [{ toolConfig: 'AUTO' }, 'toolConfig', 'an object'],
    [{ toolConfig: { functionCallingConfig: 'ANY' } }, 'toolConfig.functionCallingConfig', 'an object'],
    [
      { toolConfig: { functionCallingConfig: { mode: {} } } },
      'toolConfig.functionCallingConfig.mode',
      'a string or a number',
    ],
    [
      { toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [5] } } },
      'toolConfig.functionCallingConfig.allowedFunctionNames[0]',
      'a string',
    ],
    [{ systemInstruction: 5 }, 'systemInstruction', 'a string or an object'],
    [{ system_instruction: { parts: [5] } }, 'system_instruction.parts[0]', 'a string or an object'],
    [{ contents: 5 }, 'contents', 'a string, an object or an array'],
    [{ contents: [5] }, 'contents[0]', 'an object'],
    [{ contents: [{ role: 5, parts: [] }] }, 'contents[0].role', 'a string'],
    [{ contents: [{ parts: 5 }] }, 'contents[0].parts', 'a string, an object or an array'],
    [parts(5), 'contents[0].parts[0]', 'a string or an object'],
    [parts(null), 'contents[0].parts[0]', 'a string or an object'],
    [parts({ text: 5 }), 'contents[0].parts[0].text', 'a string'],
    [parts({ text: 'x', thought: 'yes' }), 'contents[0].parts[0].thought', 'a boolean'],
    [parts({ inlineData: 'x' }), 'contents[0].parts[0].inlineData', 'an object'],
    [parts({ file_data: { file_uri: 5 } }), 'contents[0].parts[0].file_data.file_uri', 'a string'],
    [parts({ functionCall: 'f' }), 'contents[0].parts[0].functionCall', 'an object'],
    [parts({ functionCall: { name: 'f', args: 'x' } }), 'contents[0].parts[0].functionCall.args', 'an object'],
    [
      parts({ functionResponse: { name: 'f', response: [1] } }),
      'contents[0].parts[0].functionResponse.response',
      'a string or an object',
    ],
  ],
};

for (const client of formats) {
  test(`${client}: a field of a type that the format does not have is refused on a crossing`, () => {
    for (const [change, param, wants] of wrongs[client]) {
      for (const provider of others(client)) {
        assert.throws(
          () => send(client, provider, change),
          (error: Refusal) => {
            assert.deepEqual([error.refusal, error.detail.param], ['invalid_request', param], error.message);
            assert.ok(error.message.replaceAll("'", '').startsWith(param), error.message);
            assert.match(error.message, new RegExp(`must be ${wants.replaceAll('(', '\\(')}\\.?$`));
            return true;
          },
          `${JSON.stringify(change)} to ${provider}`,
        );
      }
    }
  });

  test(`${client}: the same on the way to a provider of the format is left to the provider`, () => {
    for (const [change] of wrongs[client]) {
      const { raw, body, losses } = send(client, client, change);
      assert.deepEqual(JSON.parse(body), {
        ...JSON.parse(raw),
        ...(client === 'gemini-generate' ? {} : { model: 'm' }),
      });
      assert.deepEqual(losses, []);
    }
  });
}

const silent: Readonly<Record<Format, readonly Json[]>> = {
  'openai-chat': [{ messages: [] }, { messages: [{ role: 'user' }] }, { messages: [{ role: 'user', content: ' ' }] }],
  'anthropic-messages': [{ messages: [] }, { messages: [{ role: 'user', content: '' }] }],
  'gemini-generate': [{ contents: undefined }, { contents: [] }, parts({ text: '' })],
};

for (const client of formats) {
  test(`${client}: a request of which no turn is left is refused`, () => {
    const param = client === 'gemini-generate' ? 'contents' : 'messages';
    for (const change of silent[client]) {
      assert.throws(
        () => send(client, client === 'anthropic-messages' ? 'gemini-generate' : 'anthropic-messages', change),
        { refusal: 'invalid_request', detail: { param } },
        JSON.stringify(change),
      );
    }
  });
}

const strange: Readonly<Record<Format, readonly (readonly [Json, string])[]>> = {
  'openai-chat': [
    [{ reasoning_effort: 'bogus' }, 'reasoning_effort'],
    [{ reasoning: { effort: 'bogus' } }, 'reasoning.effort'],
    [{ thinking: { type: 'bogus' } }, 'thinking.type'],
    [{ tool_choice: 'bogus' }, 'tool_choice'],
    [{ response_format: { type: 'bogus' } }, 'response_format'],
  ],
  'anthropic-messages': [
    [{ tool_choice: { type: 'bogus' } }, 'tool_choice.type'],
    [{ thinking: { type: 'bogus' } }, 'thinking.type'],
    [{ thinking: { budget_tokens: 2000 } }, 'thinking.type'],
    [{ thinking: { type: 'adaptive', display: 'bogus' } }, 'thinking.display'],
    [{ output_config: { effort: 'bogus' } }, 'output_config.effort'],
    [{ output_config: { format: { type: 'bogus' } } }, 'output_config.format'],
  ],
  'gemini-generate': [
    [{ toolConfig: { functionCallingConfig: { mode: 'BOGUS' } } }, 'toolConfig.functionCallingConfig.mode'],
    [{ toolConfig: { functionCallingConfig: { mode: 9 } } }, 'toolConfig.functionCallingConfig.mode'],
    [config({ thinkingConfig: { thinkingLevel: 'BOGUS' } }), 'generationConfig.thinkingConfig.thinkingLevel'],
    [{ serviceTier: 3 }, 'serviceTier'],
  ],
};

for (const client of formats) {
  test(`${client}: a word that the format does not know is told as lost`, () => {
    for (const [change, field] of strange[client]) {
      for (const provider of others(client)) {
        const { losses } = send(client, provider, change);
        assert.ok(losses.includes(field), `${JSON.stringify(change)} to ${provider}: ${losses.join(' ')}`);
      }
    }
  });
}

/** What a format takes though it looks odd: sent without a word. */
const fine: Readonly<Record<Format, readonly Json[]>> = {
  'openai-chat': [
    { temperature: null, stop: null, tools: null, tool_choice: null, user: '', reasoning_effort: null },
    { stop: [], tools: [], functions: [], logit_bias: null },
    { reasoning_effort: 'default' },
    chat(
      { role: 'assistant', content: null, tool_calls: null },
      { role: 'user', content: ['Hi', { type: 'text', text: 'you' }] },
    ),
    calls({ function: { name: 'f', arguments: { a: 1 } } }),
  ],
  'anthropic-messages': [
    { system: null, temperature: null, stop_sequences: [], tools: [], thinking: null, metadata: {} },
    { system: [], output_config: {} },
    asks({ type: 'text', text: 'Hi', citations: null, cache_control: null }),
  ],
  'gemini-generate': [
    config({ temperature: '0.5', stopSequences: 'END' }),
    config({ thinkingConfig: { thinkingBudget: '-1' } }),
    {
      generation_config: { stop_sequences: [], thinking_config: null },
      safetySettings: null,
      toolConfig: null,
      tools: [],
    },
    { contents: { parts: { text: 'Hi' } }, system_instruction: { parts: { text: 'Be brief.' } } },
    { contents: 'Hi', systemInstruction: 'Be brief.' },
    { contents: [{ role: '', parts: ['Hi'] }], systemInstruction: { parts: ['Be brief.'] } },
    { toolConfig: { functionCallingConfig: { mode: 1 } } },
    { toolConfig: { functionCallingConfig: { mode: 'auto' } } },
  ],
};

for (const client of formats) {
  test(`${client}: what the format takes crosses without a word`, () => {
    for (const change of fine[client]) {
      for (const provider of others(client)) {
        const { body, losses } = send(client, provider, change);
        const told = losses.filter(
          (field) => !/^(max_tokens|generationConfig.maxOutputTokens|max_completion_tokens)$/.test(field),
        );
        assert.deepEqual(told, [], `${JSON.stringify(change)} to ${provider}: ${body}`);
        if ('systemInstruction' in change || 'system_instruction' in change) assert.match(body, /Be brief\./);
      }
    }
  });
}
