// The codec over everything that was recorded of this API: answers, streams, errors.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { answerContext } from '../../../test/answer-context.ts';
import { fold } from '../../../test/fold.ts';
import { type Recording, recordings, recordingsAbsent, recordingsFolder } from '../../../test/recordings.ts';
import { framesOf } from '../../../test/sse-frames.ts';
import type { AnswerContext } from '../../exchange/codec.ts';
import type { Part } from '../../exchange/part.ts';
import { inputTokens, outputTokens } from '../../exchange/usage.ts';
import { type Json, list, object, parse } from '../json.ts';
import { openaiChat } from './codec.ts';

const skip = recordingsFolder ? false : recordingsAbsent;
const counts = new Map<string, number>();
after(() => {
  for (const [what, number] of [...counts].sort()) console.log(`${String(number).padStart(5)} ${what}`);
});
const counted = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

const context = (more: Partial<AnswerContext> = {}): AnswerContext => answerContext({ model: 'model', ...more });

function answers(): Recording[] {
  return [...recordings('chat', (entry) => entry.status === 200)];
}

/** Runs the check on each recording and reports all that fail, not only the first. */
function each(list: Iterable<Recording>, check: (recording: Recording) => void): void {
  const failures: string[] = [];
  for (const recording of list) {
    try {
      check(recording);
    } catch (error) {
      failures.push(`${recording.id}: ${String(error)}`);
    }
  }
  assert.equal(failures.length, 0, `${failures.length} failed\n${failures.slice(0, 12).join('\n')}`);
}

/** The whole answer's text as a provider sent it; one recorder kept some bodies as text. */
function wholeBody(recording: Recording): string | undefined {
  const { body, body_text, sse_text } = recording.response;
  if (body !== undefined) return JSON.stringify(body);
  const kept = body_text ?? sse_text;
  return kept !== undefined && object(parse(kept)).choices ? kept : undefined;
}

function streamText(recording: Recording): string | undefined {
  const kept = recording.response.sse_text;
  return kept !== undefined && parse(kept) === undefined ? kept : undefined;
}

function decodeStream(text: string): Part[] {
  const decoder = openaiChat.streamDecoder();
  const parts = framesOf(text).flatMap((frame) => decoder.push(frame));
  return [...parts, ...decoder.end()];
}

/** Independent of the codec: what a reader who takes OpenAI's documentation literally finds in a whole answer. */
function literal(message: Json): { text: string; calls: string[] } {
  const text =
    typeof message.content === 'string'
      ? message.content
      : list(message.content)
          .map((part) => (object(part).type === 'text' ? String(object(part).text) : ''))
          .join('');
  const legacy = message.function_call ? [{ function: message.function_call }] : [];
  const calls = [...list(message.tool_calls), ...legacy].map((call) => {
    const body = object(object(call).function ?? object(call).custom);
    return `${body.name} ${body.arguments ?? body.input ?? ''}`;
  });
  return { text, calls };
}

test('whole answers: what is read is what was sent, and survives being written again', { skip }, () => {
  each(answers(), (recording) => {
    const raw = wholeBody(recording);
    if (raw === undefined) return;
    const body = object(JSON.parse(raw));
    const parts = openaiChat.decodeAnswer(body);
    const folded = fold(parts);
    if (!Array.isArray(body.choices)) {
      assert.ok(folded.error, recording.id);
      counted('answers with status 200 that are errors');
      return;
    }
    for (const [position, value] of list(body.choices).entries()) {
      const choice = object(value);
      const said = literal(object(choice.message));
      const got = folded.choices[Number(choice.index ?? position)];
      assert.equal(got?.text ?? '', said.text, recording.id);
      assert.deepEqual(
        got?.calls.map((call) => `${call.name} ${call.input}`),
        said.calls,
        recording.id,
      );
      assert.ok(got?.finish, recording.id);
    }
    const again = openaiChat.encodeAnswer(parts, context());
    assert.deepEqual(again.losses, [], recording.id);
    assert.deepEqual(comparable(openaiChat.decodeAnswer(JSON.parse(again.body))), comparable(parts), recording.id);
    counted(`whole answers of ${recording.provider}`);
  });
});

/** Usage is written in OpenAI's own words, where hidden thoughts are named; the buckets are the same. */
function comparable(parts: readonly Part[]): unknown {
  const folded = fold(parts);
  const { unknown: _unknown, ...usage } = folded.usage ?? {};
  return { ...folded, usage, model: folded.model ?? 'model' };
}

test('whole answers pass untouched, but for cost and saving', { skip }, () => {
  each(answers(), (recording) => {
    const raw = wholeBody(recording);
    if (raw === undefined) return;
    const bytes = Buffer.from(raw, 'utf8');
    const plain = openaiChat.passAnswer(bytes, context());
    assert.ok(bytes.equals(Buffer.from(plain.body)), recording.id);
    if (plain.failure) return;
    const priced = openaiChat.passAnswer(bytes, context({ price: () => ({ cost: 1_500_000, saved: 0 }) }));
    const before = object(JSON.parse(raw));
    const afterwards = object(JSON.parse(String(Buffer.from(priced.body))));
    assert.deepEqual(
      afterwards,
      before.usage ? { ...before, usage: { ...object(before.usage), cost: 0.0015, saved: 0 } } : before,
      recording.id,
    );
  });
});

test('every stream: whole, byte by byte, and written again, gives the same parts', { skip }, () => {
  each(answers(), (recording) => {
    const text = streamText(recording);
    if (text === undefined) return;
    const parts = decodeStream(text);
    const folded = fold(parts);
    if (folded.error !== undefined) {
      assert.ok(!folded.ended, recording.id);
      counted(`streams that break with an error, of ${recording.provider}`);
      return;
    }
    assert.deepEqual(fold(parts), literalStream(text, folded), recording.id);
    const exception = incomplete[recording.id];
    assert.equal(folded.ended, exception === undefined, `${recording.id} ${exception ?? ''}`);
    const encoder = openaiChat.streamEncoder(context());
    const again = parts.map((part) => encoder.push(part)).join('') + (folded.ended ? encoder.end() : '');
    assert.deepEqual(comparable(decodeStream(again)), comparable(parts), recording.id);
    assert.deepEqual(decodeStream(text.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n')), parts, recording.id);
    counted(`streams of ${recording.provider}`);
  });
});

/** Streams that were recorded without their end. */
const incomplete: Record<string, string> = {};

/** Text and tool arguments by plain concatenation, put into the fold that is to be compared. */
function literalStream(text: string, folded: ReturnType<typeof fold>): ReturnType<typeof fold> {
  const texts: Record<number, string> = {};
  const inputs: Record<number, string> = {};
  for (const line of text.split(/\r\n|\n|\r/)) {
    const chunk = line.startsWith('data:') ? object(parse(line.slice(5))) : {};
    for (const value of list(chunk.choices)) {
      const choice = object(value);
      const delta = object(choice.delta ?? choice.message);
      const index = Number(choice.index ?? 0);
      const said = literal(delta);
      texts[index] = (texts[index] ?? '') + said.text;
      for (const call of list(delta.tool_calls)) {
        inputs[index] = (inputs[index] ?? '') + String(object(object(call).function).arguments ?? '');
      }
    }
  }
  for (const [index, choice] of Object.entries(folded.choices)) {
    assert.equal(
      [...choice.calls.map((call) => call.input)].join('').length,
      (inputs[Number(index)] ?? '').length,
      'length of all tool input',
    );
    choice.text = texts[Number(index)] ?? '';
  }
  return folded;
}

test('streams pass: same bytes, same usage, and enough characters', { skip }, () => {
  each(answers(), (recording) => {
    const text = streamText(recording);
    if (text === undefined) return;
    const lane = openaiChat.passStream(context());
    const frames = framesOf(text);
    const glimpses = frames.map((frame) => lane.push(frame));
    const folded = fold(decodeStream(text));
    if (folded.error !== undefined) {
      assert.ok(
        glimpses.some((glimpse) => glimpse.failure),
        recording.id,
      );
      assert.deepEqual(glimpses.find((glimpse) => glimpse.failure)?.usage, folded.usage, recording.id);
      return;
    }
    for (const [index, glimpse] of glimpses.entries()) {
      assert.ok(glimpse.untouched && frames[index]?.bytes === glimpse.out, recording.id);
    }
    assert.deepEqual(glimpses.findLast((glimpse) => glimpse.usage)?.usage, folded.usage, recording.id);
    assert.equal(lane.end().complete, folded.ended, recording.id);
    const characters = glimpses.reduce((sum, glimpse) => sum + glimpse.characters, 0);
    const output = Object.values(folded.choices).reduce(
      (sum, { text, reasoning, refusal, calls }) =>
        sum + text.length + reasoning.length + refusal.length + calls.map((call) => call.input).join('').length,
      0,
    );
    assert.ok(characters >= output, `${recording.id}: ${characters} counted, ${output} sent`);
    if (characters > output * 1.6 + 200) counted(`streams counted generously, of ${recording.provider}`);
  });
});

test('a client that asked for no usage sees none, and everything else', { skip }, () => {
  each(answers(), (recording) => {
    const text = streamText(recording);
    if (text === undefined || fold(decodeStream(text)).error !== undefined) return;
    const lane = openaiChat.passStream(context({ wantsUsage: false }));
    const out = framesOf(text).map((frame) => Buffer.from(lane.push(frame).out ?? '').toString('utf8'));
    const expected = framesOf(text).flatMap((frame) => {
      const chunk = parse(frame.data);
      if (!chunk || !('usage' in object(chunk))) return frame.data === '' ? [] : [frame.data];
      const { usage, ...rest } = object(chunk);
      return usage && list(rest.choices).length === 0 ? [] : [JSON.stringify(rest)];
    });
    const shown = framesOf(out.join('')).map((frame) => frame.data);
    const plain = (data: string): unknown => parse(data) ?? data;
    assert.deepEqual(shown.filter((data) => data !== '').map(plain), expected.map(plain), recording.id);
  });
});

test('usage: totals are the provider’s, unless it counts something beside them', { skip }, () => {
  each(answers(), (recording) => {
    const raw = wholeBody(recording);
    const text = raw === undefined ? streamText(recording) : undefined;
    const parts = raw !== undefined ? openaiChat.decodeAnswer(JSON.parse(raw)) : decodeStream(text ?? '');
    const usage = fold(parts).usage;
    const sent = raw !== undefined ? object(JSON.parse(raw)).usage : lastUsage(text ?? '');
    if (!sent) {
      counted(`answers without usage, of ${recording.provider}`);
      return;
    }
    assert.ok(usage, recording.id);
    const { prompt_tokens, completion_tokens, total_tokens, completion_tokens_details } = object(sent);
    const reasoning = Number(object(completion_tokens_details).reasoning_tokens ?? 0);
    const total = inputTokens(usage) + outputTokens(usage);
    // Where reasoning is more than completion, it was counted beside it, whatever the total says.
    const beside = reasoning > Number(completion_tokens) && Number(total_tokens) < total ? reasoning : 0;
    assert.equal(total, Number(total_tokens) + beside, recording.id);
    if (Number(total_tokens) === Number(prompt_tokens) + Number(completion_tokens) && !beside) {
      assert.equal(inputTokens(usage), Number(prompt_tokens), recording.id);
      assert.equal(outputTokens(usage), Number(completion_tokens), recording.id);
    } else counted(`answers that count beside their totals, of ${recording.provider}`);
    if (usage.unknown) counted(`unknown usage: ${Object.keys(usage.unknown)} of ${recording.provider}`);
  });
});

function lastUsage(text: string): unknown {
  const told = framesOf(text).map((frame) => {
    const chunk = object(parse(frame.data));
    return chunk.usage ?? object(chunk.x_groq).usage;
  });
  return told.findLast((usage) => usage);
}

test('errors of every shape are read', { skip }, () => {
  each(
    recordings('chat', (entry) => entry.status >= 400),
    (recording) => {
      const { status, body, body_text, sse_text } = recording.response;
      const bytes = Buffer.from(body === undefined ? (body_text ?? sse_text ?? '') : JSON.stringify(body));
      const failure = openaiChat.decodeError(status, bytes, recording.response.headers);
      assert.equal(failure.status, status);
      assert.ok(failure.message.length > 0 && failure.message.length <= 2000, recording.id);
      if (bytes.length > 0) assert.notEqual(failure.message, 'The provider gave no reason.', recording.id);
      counted(`errors ${status} read as ${failure.kind}`);
    },
  );
});
