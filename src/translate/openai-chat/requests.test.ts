// Every recorded request: outlined, spliced, decoded and written again as an equivalent request.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Recording, recordings, recordingsAbsent, recordingsFolder } from '../../../test/recordings.ts';
import { targetOf } from '../../../test/target.ts';
import type { Surface } from '../../exchange/format.ts';
import { members } from '../../exchange/json-span.ts';
import { Refusal } from '../../exchange/refusal.ts';
import { isObject, type Json, list, object } from '../json.ts';
import { openaiChat } from './codec.ts';

const skip = recordingsFolder ? false : recordingsAbsent;
const surface: Surface = { kind: 'generate', format: 'openai-chat' };
const counts = new Map<string, number>();
after(() => {
  for (const [what, number] of [...counts].sort()) console.log(`${String(number).padStart(5)} ${what}`);
});
const counted = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

type Wire = Record<string, unknown>;

function requests(): { id: string; provider: string; status: number; body: Wire }[] {
  const found = [];
  for (const recording of recordings('chat') as Iterable<Recording>) {
    const body = recording.request?.body;
    if (isObject(body) && Array.isArray(body.messages)) {
      const { id, provider, response } = recording;
      found.push({ id, provider, status: response.status, body: { model: 'model', ...body } });
    }
  }
  return found;
}

/** What makes two requests the same to a provider, field by field; each exception with its reason. */
function canonical(body: Json, lost: ReadonlySet<string>, quirks: readonly string[]): Wire {
  const wire: Wire = {};
  for (const [key, value] of Object.entries(body)) {
    // Said by silence: null means absent in every dialect, an unknown field is a reported loss.
    if (value === null || lost.has(key)) continue;
    wire[key] = value;
  }
  wire.messages = list(body.messages).map((message) => canonicalMessage(object(message), quirks));
  // `stream: false` is the default; usage is always asked for, because the gateway needs it.
  if (wire.stream !== true) delete wire.stream;
  else wire.stream_options = { include_usage: true };
  if (wire.stream !== true) delete wire.stream_options;
  // Elsewhere nothing is stored unless it is asked for.
  if (wire.store === false) delete wire.store;
  // One stop may be a string; none may be an empty list.
  if (typeof wire.stop === 'string') wire.stop = [wire.stop];
  if (Array.isArray(wire.stop) && wire.stop.length === 0) delete wire.stop;
  // Legacy functions are tools by another name, and reported as such.
  if (wire.functions) wire.tools = list(wire.functions).map((fn) => ({ type: 'function', function: fn }));
  wire.tool_choice ??= wire.function_call;
  delete wire.functions;
  delete wire.function_call;
  // Of two limits the tighter one counts.
  if (wire.max_tokens !== undefined && wire.max_completion_tokens !== undefined) {
    wire.max_tokens = Math.min(Number(wire.max_tokens), Number(wire.max_completion_tokens));
    delete wire.max_completion_tokens;
  }
  if (Array.isArray(wire.tools)) wire.tools = wire.tools.map((tool) => canonicalTool(object(tool)));
  if (list(wire.tools).length === 0) {
    // Without a tool nothing can be chosen.
    for (const key of ['tools', 'tool_choice', 'parallel_tool_calls']) delete wire[key];
  }
  wire.tool_choice = canonicalChoice(wire.tool_choice);
  if (wire.tool_choice === undefined) delete wire.tool_choice;
  canonicalReasoning(wire, quirks.includes('reasoning-content'));
  canonicalFormat(wire);
  return wire;
}

function canonicalFormat(wire: Wire): void {
  const format = object(wire.response_format);
  if (format.type !== 'json_schema') return;
  const { name, description, schema, strict } = object(format.json_schema);
  wire.response_format = defined({ type: 'json_schema', json_schema: defined({ name, description, schema, strict }) });
}

/** Four spellings of one wish: a provider with a switch is told by it, all others by the effort. */
function canonicalReasoning(wire: Wire, asSwitch: boolean): void {
  const { effort, max_tokens, enabled } = object(wire.reasoning);
  const type = object(wire.thinking).type;
  for (const key of ['reasoning', 'include_reasoning', 'thinking']) delete wire[key];
  if (wire.reasoning_effort === 'default') delete wire.reasoning_effort;
  if (effort !== undefined) wire.reasoning_effort = effort;
  else if (max_tokens !== undefined && !asSwitch) wire.reasoning_effort = 'low';
  const said = type ?? (enabled === true ? 'enabled' : undefined);
  const wished = said ?? (wire.reasoning_effort || max_tokens ? 'enabled' : undefined);
  if (asSwitch && wished !== undefined) {
    wire.thinking = { type: type === undefined && wire.reasoning_effort === 'none' ? 'disabled' : wished };
  }
}

function canonicalChoice(choice: unknown): unknown {
  if (choice === 'any') return 'required';
  const name = object(object(choice).function).name ?? object(choice).name;
  return name === undefined ? choice : { type: 'function', function: { name } };
}

function canonicalTool(tool: Json): unknown {
  const body = tool.function ?? tool.custom;
  if (!isObject(body)) return tool;
  const { name, description, strict } = body;
  const input = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };
  const parameters = tool.custom ? input : body.parameters;
  const mark = tool.cache_control && { cache_control: canonicalMark(tool.cache_control) };
  // A custom tool becomes a function of one text (reported); an empty description says nothing.
  return {
    type: 'function',
    function: defined({ name, description: description === '' ? undefined : description, parameters, strict }),
    ...(mark ? mark : {}),
  };
}

function canonicalMark(mark: unknown): unknown {
  return { type: 'ephemeral', ...(object(mark).ttl === '1h' && { ttl: '1h' }) };
}

function defined(wire: Wire): Wire {
  return Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined && value !== null));
}

function canonicalMessage(message: Json, quirks: readonly string[]): unknown {
  const { role } = message;
  const content = canonicalContent(message);
  if (role === 'tool') return { role, tool_call_id: message.tool_call_id, content };
  const wire: Wire = { role, name: message.name || undefined, content };
  if (role !== 'assistant') return defined(wire);
  wire.reasoning_content = message.reasoning_content ?? message.reasoning ?? undefined;
  if (wire.reasoning_content === '') delete wire.reasoning_content;
  const details = list(message.reasoning_details).map(object);
  const proofs = details.filter((entry) => entry.signature ?? entry.data);
  // A text that stands only among the details, without a proof, goes where the provider reads thoughts.
  const words = details.map((entry) => entry.text ?? entry.summary ?? '').join('');
  if (words !== '') wire.reasoning_content ??= words;
  if (!quirks.includes('reasoning-content')) delete wire.reasoning_content;
  // A proof is sent back whole; entries are counted anew, because those without a proof are gone.
  if (proofs.length > 0) wire.reasoning_details = proofs.map((entry, index) => ({ ...entry, index }));
  wire.refusal = message.refusal || undefined;
  if (list(message.tool_calls).length > 0) {
    wire.tool_calls = list(message.tool_calls).map((value) => {
      const call = object(value);
      const body = object(call.function);
      const input = typeof body.arguments === 'string' ? body.arguments : JSON.stringify(body.arguments ?? {});
      const { id, extra_content } = call;
      return defined({ id, type: 'function', function: { name: body.name, arguments: input }, extra_content });
    });
  }
  if ((content === '' || content === undefined) && wire.tool_calls) return { ...defined(wire), content: null };
  return { ...defined(wire), content };
}

function canonicalContent(message: Json): unknown {
  const { role, content } = message;
  const image = list(message.images)[0];
  if (typeof image === 'string') {
    const url = `data:image/png;base64,${image}`;
    return [
      { type: 'text', text: content },
      { type: 'image_url', image_url: { url } },
    ];
  }
  const mark = message.cache_control;
  if (mark && typeof content === 'string') {
    return [{ type: 'text', text: content, cache_control: canonicalMark(mark) }];
  }
  if (!Array.isArray(content)) return content ?? '';
  const parts = content.map((part) => canonicalPart(object(part)));
  if (parts.length === 0) return '';
  const plain = parts.every((part) => part.type === 'text' && part.cache_control === undefined);
  // One text, or an assistant's texts, are one string.
  return plain && (parts.length === 1 || role === 'assistant') ? parts.map((part) => part.text).join('') : parts;
}

function canonicalPart(part: Json): Wire {
  const mark = part.cache_control ?? part.prompt_cache_breakpoint;
  const marked = mark ? { cache_control: canonicalMark(mark) } : {};
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text, ...marked };
    case 'image_url': {
      const { url, detail } = isObject(part.image_url) ? part.image_url : { url: part.image_url };
      return { type: 'image_url', image_url: defined({ url, detail }), ...marked };
    }
    case 'document_url':
      // Mistral's word for a file; the address may be a link there, which OpenAI's `file_data` is not meant for.
      return { type: 'file', file: { filename: part.document_name ?? 'document.pdf', file_data: part.document_url } };
    case 'input_audio':
      if (typeof part.input_audio !== 'string') return { ...part };
      return { type: 'input_audio', input_audio: { data: part.input_audio, format: 'mp3' } };
    case 'file': {
      const file = object(part.file);
      // A file needs a name; where it has none it is called what most are.
      return { type: 'file', file: file.file_id ? { file_id: file.file_id } : { filename: 'document.pdf', ...file } };
    }
    default:
      return { ...part };
  }
}

/** The dialect a request is written in, as the quirks of a provider that wants it so. */
function quirksOf(body: Json): string[] {
  const messages = list(body.messages).map(object);
  const thoughtful = messages.some((message) => message.reasoning_content || message.reasoning);
  return [
    'cache-control',
    'top-k',
    ...(body.max_tokens !== undefined ? ['max-tokens'] : []),
    ...(body.random_seed !== undefined ? ['random-seed'] : []),
    ...(body.thinking !== undefined || thoughtful ? ['reasoning-content'] : []),
  ];
}

/** Requests that are not equivalent after the way there and back, each with its reason. */
const exceptions: Record<string, string> = {
  'llamacpp-chat-c95d2aca14-0':
    'a picture in a tool message moves into a user message, where all providers look for it',
};

function exceptionOf(body: Json): string | undefined {
  for (const message of list(body.messages).map(object)) {
    if (message.role === 'tool' && !message.tool_call_id) return 'a result without an id is given that of its call';
    if (list(message.tool_calls).some((call) => !object(call).id)) return 'a call without an id is given one';
  }
  return undefined;
}

test('every request is decoded and written again as an equivalent one', { skip }, () => {
  const failures: string[] = [];
  for (const { id, provider, status, body } of requests()) {
    const exception = exceptions[id] ?? exceptionOf(body);
    if (exception) {
      counted(`exceptions: ${exception}`);
      continue;
    }
    try {
      const { prompt, losses } = openaiChat.decodeRequest(body, surface);
      const target = targetOf('openai-chat', quirksOf(body), String(body.model));
      const encoded = openaiChat.encodeRequest(prompt, target);
      const all = [...losses, ...encoded.losses];
      const lost = new Set(all.filter((loss) => loss.how === 'dropped').map((loss) => loss.field));
      assert.deepEqual(JSON.parse(encoded.body), canonical(body, lost, target.provider.quirks), id);
      for (const loss of all) counted(`losses: ${loss.field.replace(/\d+/g, 'N')} ${loss.how}`);
      counted(`requests of ${provider}`);
    } catch (error) {
      if (error instanceof Refusal && status === 400) counted('refused by us and by the provider');
      else failures.push(`${id}: ${String(error)}`);
    }
  }
  assert.equal(failures.length, 0, `${failures.length} failed\n${failures.slice(0, 60).join('\n')}`);
});

test('the same format: nothing but the owned fields changes', { skip }, () => {
  const target = targetOf('openai-chat', [], 'other-model');
  for (const { id, body } of requests()) {
    const raw = Buffer.from(JSON.stringify(body));
    if ('models' in body || 'preset' in body) {
      assert.throws(() => openaiChat.outline(body, surface, raw.length), { refusal: 'parameter_refused' }, id);
      continue;
    }
    const outlined = openaiChat.outline(body, surface, raw.length);
    assert.equal(outlined.model, body.model, id);
    assert.equal(outlined.stream, body.stream === true, id);
    const spliced = JSON.parse(
      openaiChat.splice({ raw, body, members: members(raw) }, { model: 'other-model' }, target).toString(),
    );
    const expected: Wire = { ...body, model: 'other-model' };
    if (body.stream === true) expected.stream_options = { ...object(body.stream_options), include_usage: true };
    assert.deepEqual(spliced, expected, id);
    const clamped = JSON.parse(
      openaiChat
        .splice({ raw, body, members: members(raw) }, { model: 'other-model', outputLimit: 7 }, target)
        .toString(),
    );
    assert.equal(openaiChat.outline(clamped, surface, raw.length).outputLimit, 7, id);
  }
});
