// Streamed thoughts kept by clients of every kind and sent back: the provider that signed them gets them whole.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { answerContext } from '../../../test/answer-context.ts';
import { framesOf } from '../../../test/sse-frames.ts';
import type { Part } from '../../exchange/part.ts';
import type { Signature } from '../../exchange/prompt.ts';
import { type Json, list, object } from '../json.ts';
import { openaiChat } from './codec.ts';
import { decodeDetails } from './signatures.ts';

const signature = (value: string, origin: Signature['origin'] = 'anthropic-messages'): Signature => ({ origin, value });
const words = (text: string): Part => ({ type: 'reasoning-delta', choice: 0, text });
const proof = (value: string, redacted?: boolean, origin?: Signature['origin']): Part => ({
  type: 'reasoning-signature',
  choice: 0,
  signature: signature(value, origin),
  ...(redacted && { redacted }),
});

function streamed(parts: readonly Part[]): string {
  const encoder = openaiChat.streamEncoder(answerContext());
  const all: Part[] = [
    ...parts,
    { type: 'text-delta', choice: 0, text: 'x' },
    { type: 'finish', choice: 0, reason: 'stop' },
    { type: 'end' },
  ];
  return all.map((part) => encoder.push(part)).join('') + encoder.end();
}

function deltasOf(stream: string): Json[] {
  return framesOf(stream)
    .filter((frame) => frame.data !== '[DONE]')
    .map((frame) => object(object(list(object(JSON.parse(frame.data)).choices)[0]).delta));
}

const entriesOf = (stream: string): Json[] =>
  deltasOf(stream).flatMap((delta) => list(delta.reasoning_details).map(object));

/** Entries of one index become one: its text put together, of the rest the last. */
function joined(entries: readonly Json[], keptKeys: (key: string) => boolean): Json[] {
  const all = new Map<unknown, Json>();
  for (const entry of entries) {
    const before = all.get(entry.index);
    const known = Object.fromEntries(Object.entries(entry).filter(([key]) => keptKeys(key)));
    const text = `${before?.text ?? ''}${entry.text ?? ''}`;
    all.set(entry.index, { ...before, ...known, ...((before || 'text' in entry) && { text }) });
  }
  return [...all.values()];
}

const schema = new Set(['type', 'text', 'signature', 'data', 'format', 'index']);
const keepers: Readonly<Record<string, (stream: string) => Json[]>> = {
  'gathers every entry': entriesOf,
  'joins the entries of an index': (stream) => joined(entriesOf(stream), () => true),
  'joins them, and drops what it does not know': (stream) => joined(entriesOf(stream), (key) => schema.has(key)),
  'keeps the last list alone': (stream) => entriesOf(stream).slice(-1),
};

type Blocks = { text: string; signature?: Signature; redacted: boolean }[];
const rows: Readonly<Record<string, { parts: Part[]; blocks: Blocks }>> = {
  'one block': {
    parts: [words('first '), words('second'), proof('SIG')],
    blocks: [{ text: 'first second', signature: signature('SIG'), redacted: false }],
  },
  'a block of Gemini': {
    parts: [words('first '), words('second'), proof('SIG', false, 'gemini-generate')],
    blocks: [{ text: 'first second', signature: signature('SIG', 'gemini-generate'), redacted: false }],
  },
  'a proof of omitted words': {
    parts: [proof('SIG')],
    blocks: [{ text: '', signature: signature('SIG'), redacted: false }],
  },
  'several blocks, one of them redacted': {
    parts: [words('a'), words('b'), proof('S1'), proof('HIDDEN', true), words('c'), words('d'), proof('S2')],
    blocks: [
      { text: 'ab', signature: signature('S1'), redacted: false },
      { text: '', signature: signature('HIDDEN'), redacted: true },
      { text: 'cd', signature: signature('S2'), redacted: false },
    ],
  },
  'words without a proof before a redacted block': {
    parts: [words('a'), words('b'), proof('HIDDEN', true)],
    blocks: [
      { text: 'ab', redacted: false },
      { text: '', signature: signature('HIDDEN'), redacted: true },
    ],
  },
};

for (const [client, keep] of Object.entries(keepers))
  for (const [name, { parts, blocks }] of Object.entries(rows)) {
    test(`a client that ${client}: ${name}`, () => {
      assert.deepEqual(decodeDetails(keep(streamed(parts))), blocks);
    });
  }

test('the official SDK’s helper gives back what was signed', async () => {
  for (const { parts, blocks } of Object.values(rows)) {
    const response = new Response(streamed(parts), { headers: { 'content-type': 'text/event-stream' } });
    const client = new OpenAI({ apiKey: 'k', baseURL: 'http://localhost', fetch: () => Promise.resolve(response) });
    const final = await client.chat.completions.stream({ model: 'm', messages: [] }).finalChatCompletion();
    const messages = [final.choices[0]?.message];
    const { prompt } = openaiChat.decodeRequest({ model: 'm', messages }, { kind: 'generate', format: 'openai-chat' });
    const thoughts = blocks.map(({ redacted, ...block }) => ({
      type: 'reasoning',
      ...block,
      ...(redacted && { redacted }),
    }));
    assert.deepEqual(prompt.turns[0]?.content, [...thoughts, { type: 'text', text: 'x' }]);
  }
});

test('thoughts of a megabyte are repeated once; longer ones go back whole or without their proof, never in part', () => {
  const piece = 'é'.repeat(1000);
  const long = (pieces: number): Part[] => Array.from({ length: pieces }, () => words(piece));
  const fits = { text: piece.repeat(1000), signature: signature('SIG'), redacted: false };
  for (const keep of Object.values(keepers)) {
    assert.deepEqual(decodeDetails(keep(streamed([...long(1000), proof('SIG')]))), [fits]);
  }
  const stream = streamed([...long(1100), proof('SIG'), ...long(10), proof('S2')]);
  assert.ok(stream.length < 1.5 * 1110 * 2000, 'nothing is repeated');
  const both = [
    { text: piece.repeat(1100), signature: signature('SIG'), redacted: false },
    { text: piece.repeat(10), signature: signature('S2'), redacted: false },
  ];
  const [gathers, joins, drops, last] = Object.values(keepers).map((keep) => decodeDetails(keep(stream)));
  assert.deepEqual([gathers, joins, drops, last], [both, both, both, []]);
});

test('many short blocks repeat a megabyte in all', () => {
  const parts = Array.from({ length: 5000 }, (_, at) => [words('thought'), proof(`S${at}`)]).flat();
  const stream = streamed(parts);
  assert.ok(stream.length < 4_000_000, String(stream.length));
  assert.equal(decodeDetails(entriesOf(stream)).length, 5000);
});
