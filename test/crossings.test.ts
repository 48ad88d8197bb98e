// Every recorded answer, stream and request crossed to each other format and read again: what must survive, survives.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Codec } from '../src/exchange/codec.ts';
import { type Format, formats } from '../src/exchange/format.ts';
import type { Part } from '../src/exchange/part.ts';
import type { Prompt } from '../src/exchange/prompt.ts';
import { type Bucket, inputTokens, noUsage, outputTokens } from '../src/exchange/usage.ts';
import { codecs, openLane, passAnswer } from '../src/translate/translate.ts';
import { answerContext } from './answer-context.ts';
import { type Folded, fold } from './fold.ts';
import { type Recording, recordings, recordingsAbsent, recordingsFolder } from './recordings.ts';
import { framesOf } from './sse-frames.ts';
import { targetOf } from './target.ts';

const skip = recordingsFolder ? false : recordingsAbsent;
const apis: Record<Format, string> = {
  'openai-chat': 'chat',
  'anthropic-messages': 'messages',
  'gemini-generate': 'generateContent',
};
const crossings = formats.flatMap((from) => formats.filter((to) => to !== from).map((to) => ({ from, to })));

const counts = new Map<string, number>();
after(() => {
  for (const [what, number] of [...counts].sort()) console.log(`${String(number).padStart(5)} ${what}`);
});
const counted = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

/** What a crossing must keep of an answer, choice by choice. */
interface Kept {
  readonly choices: unknown[];
  readonly usage: unknown;
  readonly ended: boolean;
}

/** Words for endings that the target cannot say, by target: what stands in for them. */
const endings: Record<Format, Record<string, string>> = {
  // OpenAI has no word for a pause, and refusals without refusal text end as filtered content.
  'openai-chat': { pause: 'stop', refusal: 'content-filter', other: 'stop' },
  // Anthropic ends with `refusal` whatever was filtered.
  'anthropic-messages': { 'content-filter': 'refusal', other: 'stop' },
  'gemini-generate': { pause: 'other', refusal: 'content-filter' },
};

function kept(folded: Folded, from: Format, to: Format): Kept {
  const choices = Object.values(folded.choices).map(({ text, reasoning, refusal, calls, finish }) => ({
    // Only OpenAI tells a refusal's text from other text; Anthropic gives it as both.
    text: text === refusal ? text : text + refusal,
    reasoning,
    calls: calls.filter((call) => call).map(({ name, input }) => `${name} ${normalJson(input)}`),
    finish: endings[to][finish ?? ''] ?? finish,
  }));
  // Anthropic has one choice; the others are a reported loss.
  const single = from === 'anthropic-messages' || to === 'anthropic-messages';
  return { choices: single ? choices.slice(0, 1) : choices, usage: countedUsage(folded, to), ended: folded.ended };
}

/**
 * Gemini and Anthropic carry arguments as objects: the text may be spaced differently, the value is the same. What is no
 * object (free text, a call cut short by the limit) is the field `input` of one.
 */
function normalJson(input: string): string {
  try {
    const value: unknown = JSON.parse(input === '' ? '{}' : input);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return JSON.stringify(value);
  } catch {
    // Falls through: it is carried as text.
  }
  return JSON.stringify({ input });
}

/** Buckets that a format has words for; what it has none for is in its sums. */
const said: Record<Format, readonly Bucket[]> = {
  'openai-chat': [
    ...(['cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'inputAudio', 'inputImage'] as const),
    ...(['reasoning', 'outputAudio', 'outputImage', 'webSearches'] as const),
  ],
  'anthropic-messages': ['cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'reasoning', 'webSearches'],
  'gemini-generate': ['cacheRead', 'inputAudio', 'inputImage', 'reasoning', 'outputAudio', 'outputImage'],
};

/** Both sums, and each bucket that the client's format can say. */
function countedUsage({ usage: told }: Folded, to: Format): unknown {
  // Anthropic's answers always have usage: none is told as zero.
  const usage = told ?? (to === 'anthropic-messages' ? noUsage() : undefined);
  if (!usage) return undefined;
  const each = Object.fromEntries(said[to].map((bucket) => [bucket, usage[bucket]]));
  return { inputs: inputTokens(usage), outputs: outputTokens(usage), ...each };
}

function answers(format: Format): Recording[] {
  return [...recordings(apis[format], (entry) => entry.status === 200)];
}

function streamText(recording: Recording): string | undefined {
  const text = recording.response.sse_text;
  return text !== undefined && /^(data|event|:)/m.test(text) ? text : undefined;
}

function decodeStream(codec: Codec, text: string): Part[] {
  const decoder = codec.streamDecoder();
  return [...framesOf(text).flatMap((frame) => decoder.push(frame)), ...decoder.end()];
}

/** Answers that change on one crossing (or on all, where no format is named), each with its reason. */
const exceptions: Record<string, string> = {
  'openai-chat-d5f4bac4d4-0 gemini-generate': 'the transcript of sound is text there',
  'openai-chat-f069ba11f4-0 gemini-generate': 'the transcript of sound is text there',
  'openrouter-chat-61e7d85b37-0': 'a stream without any choice: elsewhere it ends as an empty answer or not at all',
  'openrouter-chat-a9fd83e1f6-0': 'a stream without any choice: elsewhere it ends as an empty answer or not at all',
  'litellm_proxy-chat-ee54fa544a-0 gemini-generate': 'one of two choices never finished, which only [DONE] hides',
};

/** The same of requests. */
const requestExceptions: Record<string, string> = {
  'anthropic-messages-27b0f3ea3e-1 openai-chat': 'a plain-text document is text there',
  'anthropic-messages-bbe9bcf7c2-0 openai-chat': 'a plain-text document is text there',
  'anthropic-messages-c293e0b2e2-0 openai-chat': 'a plain-text document is text there',
  'anthropic-messages-c293e0b2e2-1 openai-chat': 'a plain-text document is text there',
  'google-generateContent-b15a6bf8dc-1 openai-chat': 'a plain-text document is text there',
  'anthropic-messages-55dd075428-0 gemini-generate': 'the texts of one tool result are one text there',
  'anthropic-messages-c25be9a16f-0 gemini-generate': 'the texts of one tool result are one text there',
  'anthropic-messages-de46412347-0 gemini-generate': 'the texts of one tool result are one text there',
  'google-generateContent-ea72aa3f8f-0 anthropic-messages':
    'a system text alone is said by the user: Anthropic wants one',
};

function compare(kind: string, id: string, from: Format, to: Format, before: Part[], crossed: () => Part[]): void {
  const reason = exceptions[`${id} ${to}`] ?? exceptions[id];
  if (reason !== undefined) {
    counted(`${kind} ${from} > ${to}: exception: ${reason}`);
    return;
  }
  assert.deepEqual(kept(fold(crossed()), from, to), kept(fold(before), from, to), id);
  counted(`${kind} ${from} > ${to}`);
}

for (const { from, to } of crossings) {
  test(`${from} > ${to}: whole answers and streams`, { skip }, () => {
    const failures: string[] = [];
    for (const recording of answers(from)) {
      try {
        crossAnswer(recording, from, to);
        crossStream(recording, from, to);
      } catch (error) {
        failures.push(`${recording.id}: ${String(error)}`);
      }
    }
    assert.equal(failures.length, 0, `${failures.length} failed\n${failures.slice(0, 40).join('\n')}`);
  });
}

function crossAnswer(recording: Recording, from: Format, to: Format): void {
  const { body } = recording.response;
  if (body === undefined || Array.isArray(body)) return;
  const before = codecs[from].decodeAnswer(body);
  const out = passAnswer(to, from, Buffer.from(JSON.stringify(body)), answerContext());
  if (before.some((part) => part.type === 'error')) {
    assert.ok(out.failure, recording.id);
    counted(`answers ${from} > ${to}: errors with status 200`);
    return;
  }
  compare('answers', recording.id, from, to, before, () => codecs[to].decodeAnswer(JSON.parse(String(out.body))));
}

function crossStream(recording: Recording, from: Format, to: Format): void {
  const text = streamText(recording);
  if (text === undefined) return;
  const all = decodeStream(codecs[from], text);
  // Some recordings hold several streams, one behind the other: the first one's end is the end.
  const before = all.slice(0, all.findIndex((part) => part.type === 'end') + 1 || all.length);
  const lane = openLane(to, from, answerContext());
  let out = '';
  for (const frame of framesOf(text)) out += String(lane.push(frame).out ?? '');
  const end = lane.end();
  out += String(end.out ?? '');
  const ended = before.some((part) => part.type === 'end');
  assert.equal(end.complete, ended, recording.id);
  if (before.some((part) => part.type === 'error') || !ended) {
    counted(`streams ${from} > ${to}: broken before their end`);
    return;
  }
  compare('streams', recording.id, from, to, before, () => decodeStream(codecs[to], out));
}

for (const { from, to } of crossings) {
  test(`${from} > ${to}: requests`, { skip }, () => {
    const failures: string[] = [];
    for (const recording of recordings(apis[from])) {
      const body = recording.request?.body;
      if (typeof body !== 'object' || body === null) continue;
      try {
        crossRequest(recording.id, body as Record<string, unknown>, recording, from, to);
      } catch (error) {
        failures.push(`${recording.id}: ${String(error)}`);
      }
    }
    assert.equal(failures.length, 0, `${failures.length} failed\n${failures.slice(0, 40).join('\n')}`);
  });
}

function crossRequest(id: string, body: Record<string, unknown>, recording: Recording, from: Format, to: Format): void {
  const stream = recording.request?.path.includes('stream') || body.stream === true;
  const surface = { kind: 'generate', format: from, model: 'model-1', stream } as const;
  let prompt: Prompt;
  try {
    prompt = codecs[from].decodeRequest(body, surface).prompt;
  } catch (error) {
    counted(`requests ${from}: refused: ${String(error)}`);
    return;
  }
  const reason = requestExceptions[`${id} ${to}`];
  if (reason !== undefined) {
    counted(`requests ${from} > ${to}: exception: ${reason}`);
    return;
  }
  const encoded = codecs[to].encodeRequest(prompt, targetOf(to, ['reasoning-content']));
  const again = codecs[to].decodeRequest(JSON.parse(encoded.body), { ...surface, format: to }).prompt;
  const lost = new Set(encoded.losses.map((loss) => loss.field));
  // A system message amid the conversation becomes a user's where the format has no place for it: a reported loss.
  const lostRoles = [...lost].some((field) => field.endsWith('.role'));
  const words = (each: Prompt): unknown => promptWords(each, lostRoles);
  assert.deepEqual(words(again), words(prompt), `${id} ${[...lost].join(' ')}`);
  counted(`requests ${from} > ${to}`);
}

/** Gemini carries results as objects: their JSON may be spaced differently, and nothing is the empty one. */
function normalResult(text: string): string {
  try {
    const value = JSON.stringify(JSON.parse(text));
    return value === '{}' ? '' : value;
  } catch {
    return text;
  }
}

/** Anthropic wants a user's word first, and its codec says this one for him. */
const opening = '(The conversation begins.)';

/** What every crossing of a request keeps: what was said by whom, the calls and their results, and the tools. */
function promptWords(prompt: Prompt, lostRoles: boolean): unknown {
  const said: Record<string, string[]> = { system: [], user: [], assistant: [] };
  const calls: string[] = [];
  let results = '';
  for (const turn of prompt.turns) {
    const who = turn.role === 'assistant' ? 'assistant' : turn.role === 'user' || lostRoles ? 'user' : 'system';
    for (const block of turn.content) {
      if (block.type === 'text' || block.type === 'refusal') {
        // Blank texts are refused by Anthropic, so they stay behind.
        if (block.text.trim() !== '' && block.text !== opening) said[who]?.push(block.text);
      } else if (block.type === 'tool-call') calls.push(`${block.name} ${normalJson(block.input)}`);
      else if (block.type === 'tool-result') {
        for (const inner of block.content) if (inner.type === 'text') results += normalResult(inner.text);
      }
    }
  }
  const words = Object.entries(said).map(([who, texts]) => [who, lostRoles ? [...texts].sort() : texts.join('')]);
  return { words, calls, results, tools: prompt.tools.map((tool) => tool.name), stream: prompt.stream };
}
