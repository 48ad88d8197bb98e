// A stream ended by the gateway as if at its output limit, after every event of every fixture and of recorded traffic:
// the client's own format reads it as whole, every call in it is whole, and inside a call it is refused.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import type { AnswerContext } from '../src/exchange/codec.ts';
import { type Format, formats } from '../src/exchange/format.ts';
import type { Frame } from '../src/exchange/frame.ts';
import type { Part } from '../src/exchange/part.ts';
import { noUsage, type Usage } from '../src/exchange/usage.ts';
import { codecs, openLane } from '../src/translate/translate.ts';
import { answerContext } from './answer-context.ts';
import { type Folded, fold } from './fold.ts';
import { recordings, recordingsFolder } from './recordings.ts';
import { framesOf, isJson } from './sse-frames.ts';

const apis: Readonly<Record<Format, string>> = {
  'openai-chat': 'chat',
  'anthropic-messages': 'messages',
  'gemini-generate': 'generateContent',
};
const recordedPerFormat = 40;
const framesMax = 120;
const usage: Usage = { ...noUsage(), input: 7, output: 5 };

function context(): AnswerContext {
  return answerContext({ price: ({ output }) => ({ cost: output * 1000, saved: 0 }) });
}

function* streams(format: Format): Generator<{ name: string; frames: readonly Frame[] }> {
  const folder = resolve(import.meta.dirname, '..', 'fixtures', format);
  for (const name of readdirSync(folder)) {
    const file = resolve(folder, name, 'stream.sse');
    if (existsSync(file)) yield { name, frames: framesOf(readFileSync(file, 'utf8')) };
  }
  let left = recordedPerFormat;
  for (const { id, response } of recordings(
    apis[format],
    ({ tags, status }) => status === 200 && tags.includes('stream'),
  )) {
    if (!response.sse_text || left-- <= 0) continue;
    const frames = framesOf(response.sse_text);
    if (frames.length <= framesMax) yield { name: id, frames };
  }
}

const partsOf = (format: Format, frames: readonly Frame[]): Part[] => {
  const decoder = codecs[format].streamDecoder();
  return [...frames.flatMap((frame) => decoder.push(frame)), ...decoder.end()];
};

/** Whether an answer that is still open ends, so far, in a call whose arguments are no JSON yet. */
function insideCall(parts: readonly Part[]): boolean {
  const last = new Map<number, Part>();
  for (const part of parts) if ('choice' in part) last.set(part.choice, part);
  const folded = fold(parts);
  return [...last.values()].some((part) => {
    if (part.type !== 'tool-input-delta' && part.type !== 'tool-input-start') return false;
    return !isJson(folded.choices[part.choice]?.calls[part.index]?.input ?? '');
  });
}

/** What is wrong with the answer as its client reads it. */
function faults(answer: Folded, provider: Folded): string[] {
  const found: string[] = [];
  if (answer.error !== undefined) found.push(`error: ${answer.error}`);
  if (!answer.ended) found.push('no terminator');
  for (const [index, choice] of Object.entries(answer.choices)) {
    const wanted = provider.choices[Number(index)]?.finish === undefined ? 'length' : undefined;
    if (choice.finish === undefined || (wanted && choice.finish !== wanted)) found.push(`${index}: ${choice.finish}`);
    // What the provider itself broke off is its own; a call without arguments has no text at all.
    if (!wanted) continue;
    for (const { input } of choice.calls) if (input !== '' && !isJson(input)) found.push(`half a call: ${input}`);
  }
  return found;
}

for (const provider of formats)
  for (const client of formats)
    test(`${client} from ${provider}: finished after each event`, () => {
      const wrong: string[] = [];
      let finished = 0;
      let refused = 0;
      for (const { name, frames } of streams(provider)) {
        for (let count = 1; count <= frames.length; count++) {
          const seen = frames.slice(0, count);
          const lane = openLane(client, provider, context());
          let out = '';
          let content = false;
          let over = false;
          for (const frame of seen) {
            const glimpse = lane.push(frame);
            over ||= glimpse.failure !== undefined || glimpse.ends === true;
            content ||= glimpse.content;
            if (glimpse.out !== undefined) out += Buffer.from(glimpse.out).toString('utf8');
          }
          // The pump finishes only what the client has seen something of, and what has not ended.
          if (over || !content) continue;
          const end = lane.finish(usage);
          const told = partsOf(provider, seen);
          const inside = insideCall(told);
          if (end === undefined) refused++;
          else finished++;
          if (end === undefined) continue;
          if (inside) wrong.push(`${name} after ${count}: finished inside a call`);
          const answer = fold(partsOf(client, framesOf(out + end)));
          for (const fault of faults(answer, fold(told))) wrong.push(`${name} after ${count}: ${fault}`);
        }
      }
      assert.deepEqual(wrong.slice(0, 10), []);
      // The fixtures alone have a few places each; recorded streams many.
      const least = recordingsFolder === undefined ? 3 : 20;
      assert.ok(finished > least && refused > 0, `${finished} finished, ${refused} refused`);
    });
