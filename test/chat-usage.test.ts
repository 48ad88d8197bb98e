// The usage of every recorded chat answer, bucket by bucket, computed a second time from the provider's own fields.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { buckets, noUsage, type Usage } from '../src/exchange/usage.ts';
import { openaiChat } from '../src/translate/openai-chat/codec.ts';
import { type Recording, recordings, recordingsAbsent, recordingsFolder } from './recordings.ts';
import { framesOf } from './sse-frames.ts';

const skip = recordingsFolder ? false : recordingsAbsent;
type Json = Readonly<Record<string, unknown>>;

/** Usages that contradict themselves, each with its reason. */
const exceptions: Record<string, string> = {
  'openai-chat-c5324659b2-0': 'invented by its recorder: more thoughts and sound than output',
};

const counts = new Map<string, number>();
after(() => {
  for (const [what, number] of [...counts].sort()) console.log(`${String(number).padStart(5)} ${what}`);
});
const counted = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function number(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The wire's usage as it was told last, and the codec's reading of the whole answer. */
function usageOf(recording: Recording): { wire: Json; read: Usage | undefined } | undefined {
  const { body, sse_text, body_text } = recording.response;
  const whole = body ?? parse(body_text ?? sse_text ?? '');
  if (whole !== undefined) {
    const wire = object(whole).usage;
    const parts = openaiChat.decodeAnswer(whole);
    return wire ? { wire: object(wire), read: parts.findLast((part) => part.type === 'usage')?.usage } : undefined;
  }
  const decoder = openaiChat.streamDecoder();
  const frames = framesOf(sse_text ?? '');
  const parts = [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()];
  const told = frames.map((frame) => {
    const chunk = object(parse(frame.data));
    const [choice] = Array.isArray(chunk.choices) ? chunk.choices : [];
    return chunk.usage ?? object(chunk.x_groq).usage ?? object(choice).usage;
  });
  const wire = told.findLast((each) => Object.keys(object(each)).length > 0);
  return wire ? { wire: object(wire), read: parts.findLast((part) => part.type === 'usage')?.usage } : undefined;
}

/**
 * The two conventions, told apart by the total: what a provider counts inside its two sums, and what beside them. The
 * pieces that make up the difference are the ones beside.
 */
function expected(wire: Json): Usage {
  const inputs = object(wire.prompt_tokens_details);
  const outputs = object(wire.completion_tokens_details);
  const prompt = number(wire.prompt_tokens);
  const completion = number(wire.completion_tokens);
  const cached = number(inputs.cached_tokens) || number(wire.cached_tokens) || number(wire.prompt_cache_hit_tokens);
  const cacheRead = cached || number(wire.cache_read_input_tokens) || number(wire.num_cached_tokens);
  const written = number(inputs.cache_write_tokens) || number(wire.cache_creation_input_tokens);
  const hour = number(object(wire.cache_creation).ephemeral_1h_input_tokens);
  const audio = number(inputs.audio_tokens) || number(wire.audio_prompt_tokens);
  const told = number(outputs.reasoning_tokens) || number(wire.reasoning_tokens);
  const usage = { ...noUsage(), cacheRead, cacheWrite5m: written - hour, cacheWrite1h: hour };
  let beside = Math.max(0, number(wire.total_tokens) - prompt - completion);
  const takes = (amount: number): boolean => {
    if (amount === 0 || beside < amount) return false;
    beside -= amount;
    return true;
  };
  const reasoningBeside = takes(told) || told > completion;
  const audioBeside = beside === audio && takes(audio);
  const cacheBeside = (beside === cacheRead + written && takes(beside)) || cacheRead + written > prompt;
  usage.inputAudio = Math.min(audio, audioBeside || cacheBeside ? prompt + audio : prompt - cacheRead - written);
  usage.inputImage = number(inputs.image_tokens);
  usage.input =
    prompt - (cacheBeside ? 0 : cacheRead + written) - (audioBeside ? 0 : usage.inputAudio) - usage.inputImage;
  // What no name explains are thoughts that only the total counts.
  usage.reasoning = told + beside;
  usage.outputAudio = number(outputs.audio_tokens);
  usage.outputImage = number(outputs.image_tokens);
  usage.output = completion - (reasoningBeside ? 0 : told) - usage.outputAudio - usage.outputImage;
  usage.webSearches =
    number(object(wire.server_tool_use_details ?? wire.server_tool_use).web_search_requests) ||
    number(wire.num_search_queries);
  usage.seconds = audio === 0 ? number(wire.prompt_audio_seconds) : 0;
  counted(
    `chat usage: ${reasoningBeside ? 'reasoning beside' : cacheBeside ? 'cache beside' : audioBeside ? 'audio beside' : 'all inside'} the sums`,
  );
  if (beside > 0) counted('chat usage: thoughts that only the total counts');
  return usage;
}

test('chat: every recorded usage is the provider’s, bucket by bucket', { skip }, () => {
  const failures: string[] = [];
  for (const recording of recordings('chat', (entry) => entry.status === 200)) {
    const found = usageOf(recording);
    if (!found) {
      counted('chat usage: none told');
      continue;
    }
    const reason = exceptions[recording.id];
    if (reason !== undefined) {
      counted(`chat usage: exception: ${reason}`);
      continue;
    }
    const { wire, read } = found;
    const wanted = expected(wire);
    for (const bucket of buckets) {
      if (read?.[bucket] === wanted[bucket]) continue;
      failures.push(`${recording.id} ${bucket}: ${read?.[bucket]}, not ${wanted[bucket]}: ${JSON.stringify(wire)}`);
    }
    for (const bucket of buckets) if (wanted[bucket] > 0) counted(`chat bucket: ${bucket}`);
  }
  assert.equal(failures.length, 0, `${failures.length} differ\n${failures.slice(0, 12).join('\n')}`);
});
