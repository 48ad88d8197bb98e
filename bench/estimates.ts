// How far the meter's estimates are from what providers billed, on recorded traffic: `node bench/estimates.ts` (`--write` for README.md).
//
// Bills come in the order of the recordings and teach the meter as they would in a running gateway: what is compared
// is always the estimate before its own bill.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import type { AnswerContext } from '../src/exchange/codec.ts';
import type { Format, Surface } from '../src/exchange/format.ts';
import { inputTokens, type Usage } from '../src/exchange/usage.ts';
import { textInside } from '../src/meter/frame-text.ts';
import { createMeter, type Meter } from '../src/meter/meter.ts';
import { addBytes, emptyMix, type Script, scriptOf } from '../src/meter/mix.ts';
import { createFrameReader } from '../src/stream/reader.ts';
import { codecs } from '../src/translate/translate.ts';
import { type Recording, recordings, recordingsFolder } from '../test/recordings.ts';

const formats: Readonly<Record<string, Format>> = {
  chat: 'openai-chat',
  messages: 'anthropic-messages',
  generateContent: 'gemini-generate',
};

interface Row {
  readonly provider: string;
  readonly api: string;
  readonly model: string;
  readonly request_body: Record<string, unknown> | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly output_text: string | null;
  readonly tags: readonly string[];
}

/** Estimate over actual, by provider or script. */
export type Errors = Map<string, number[]>;

function note(errors: Errors, name: string, estimate: number, actual: number): void {
  const list = errors.get(name) ?? [];
  list.push(estimate / actual);
  errors.set(name, list);
}

const clock = { every: () => () => undefined };
const context: AnswerContext = {
  requestId: 'r',
  model: 'm',
  created: 0,
  framing: 'sse',
  wantsUsage: true,
  id: (prefix) => prefix,
  price: () => undefined,
};

/** Fewer tokens than this cost nothing worth an estimate, and are mostly a provider's constants. */
const least = 48;

function prompts(rows: readonly Row[], meter: Meter): { byProvider: Errors; byScript: Errors } {
  const [byProvider, byScript]: [Errors, Errors] = [new Map(), new Map()];
  for (const row of rows) {
    const format = formats[row.api];
    const { request_body: body, input_tokens: actual } = row;
    if (!format || !body || !actual || row.tags.includes('error')) continue;
    const raw = Buffer.from(JSON.stringify(body));
    const outline = outlineOf(format, body, surfaceOf(format, row.model), raw.length);
    if (!outline || outline.images + outline.documents + outline.audio + outline.paidTools.length > 0) continue;
    const name = `${row.provider}/${row.model}`;
    const estimate = meter.prompt(name, outline, raw);
    if (actual >= least) {
      note(byProvider, row.provider, estimate.text, actual);
      note(byScript, estimate.script, estimate.text, actual);
    }
    meter.learnPrompt(name, outline, estimate, actual);
  }
  return { byProvider, byScript };
}

function outlineOf(format: Format, body: Record<string, unknown>, surface: Surface, bytes: number) {
  try {
    return codecs[format].outline(body, surface, bytes);
  } catch {
    return undefined;
  }
}

/** Whole answers: the text alone, since the dataset has no more of them. */
function answers(rows: readonly Row[], meter: Meter, byScript: Errors): Errors {
  const byProvider: Errors = new Map();
  for (const { provider, model, output_text: text, output_tokens: actual, tags } of rows) {
    if (!text || !actual || actual < least || tags.includes('reasoning') || tags.includes('tool_call')) continue;
    // Hidden thoughts are in the bill and not in the text.
    if (actual > 3 * countTokens(text)) continue;
    const gauge = meter.gauge(`${provider}/${model}`);
    gauge.sampleText(text, text.length);
    note(byProvider, provider, gauge.tokens(text.length), actual);
    note(byScript, scriptOfText(text), gauge.tokens(text.length), actual);
    gauge.learn(text.length, actual);
  }
  return byProvider;
}

function scriptOfText(text: string): Script {
  const mix = emptyMix();
  const bytes = Buffer.from(text);
  addBytes(mix, bytes, 0, bytes.length);
  return scriptOf(mix);
}

/** Streams as the pump sees them, sampled as the meter samples; and how many tokens each event carries. */
function streams(meter: Meter): { errors: Errors; packed: Map<string, number[]> } {
  const errors: Errors = new Map();
  const packed = new Map<string, number[]>();
  for (const [api, format] of Object.entries(formats)) {
    for (const recording of recordings(api, streamed)) {
      const seen = play(recording, format, meter, packed);
      if (!seen) continue;
      const { usage, characters, gauge } = seen;
      if (usage.reasoning > 0 || usage.output < least) continue;
      if (usage.output > 3 * seen.counted) continue;
      const tools = recording.tags.includes('tool_call') ? ', with tool calls' : '';
      note(errors, recording.provider + tools, gauge.tokens(characters), usage.output);
      gauge.learn(characters, usage.output);
    }
  }
  return { errors, packed };
}

/** Tokens of each recorded event that carries text, by provider. */
export function packedTokens(): ReadonlyMap<string, readonly number[]> {
  return streams(createMeter(clock)).packed;
}

/** What a provider's own tools found is in the stream and not in the bill. */
function streamed({ status, tags }: { status: number; tags: readonly string[] }): boolean {
  return status === 200 && tags.includes('stream') && !tags.includes('builtin_tools');
}

function play(recording: Recording, format: Format, meter: Meter, packed: Map<string, number[]>) {
  const sse = recording.response.sse_text;
  if (sse === undefined) return undefined;
  const lane = codecs[format].passStream(context);
  const gauge = meter.gauge(`${recording.provider}/${recording.model}`);
  let characters = 0;
  let counted = 0;
  let usage: Usage | undefined;
  for (const frame of createFrameReader(10_000_000).push(Buffer.from(sse)) ?? []) {
    const glimpse = lane.push(frame);
    if (glimpse.failure) return undefined;
    const before = characters;
    characters += glimpse.characters;
    if (glimpse.usage) usage = glimpse.usage;
    const text = glimpse.characters > 0 ? textInside(frame.data) : '';
    if (text !== '') {
      const tokens = countTokens(text, { disallowedSpecial: new Set() });
      counted += tokens;
      const list = packed.get(recording.provider) ?? [];
      list.push(tokens);
      packed.set(recording.provider, list);
    }
    if (characters >= gauge.nextSampleAt) gauge.sample(frame, characters - before);
  }
  return usage && inputTokens(usage) > 0 ? { usage, characters, gauge, counted } : undefined;
}

const at = (list: readonly number[], share: number): number =>
  list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? 0;

function table(title: string, errors: Errors): string {
  const lines = [...errors]
    .filter(([, list]) => list.length >= 4)
    .toSorted((a, b) => b[1].length - a[1].length)
    .map(([name, list]) => {
      const figures = [0.01, 0.05, 0.5, 0.95, 0.99].map((share) => at(list, share).toFixed(2));
      const above = Math.round((100 * list.filter((each) => each >= 1).length) / list.length);
      return `| ${[name, list.length, ...figures, `${above} %`].join(' | ')} |`;
    });
  return `${title}\n\n| | count | p1 | p5 | median | p95 | p99 | not below the bill |\n|---|---|---|---|---|---|---|---|\n${lines.join('\n')}\n`;
}

function packing(packed: ReadonlyMap<string, readonly number[]>): string {
  const lines = [...packed]
    .filter(([, list]) => list.length >= 20)
    .toSorted((a, b) => b[1].length - a[1].length)
    .map(([name, list]) => `| ${[name, list.length, at(list, 0.5), at(list, 0.99), Math.max(...list)].join(' | ')} |`);
  return `Tokens in one event\n\n| | events | median | p99 | most |\n|---|---|---|---|---|\n${lines.join('\n')}\n`;
}

/** What the estimates cost: microseconds for a prompt of 4 KB and of 10 MB, and for a look at a chunk. */
function costs(meter: Meter): string {
  const outline = { ...codecs['openai-chat'].outline({ model: 'm', messages: [] }, surfaceOf('openai-chat', 'm'), 0) };
  const lines = [4_000, 10_000_000].map((size) => {
    const body = Buffer.from('The quick brown fox jumps over the lazy dog. '.repeat(size / 45));
    return `| a prompt of ${size / 1000} KB | ${best(() => void meter.prompt('p/m', outline, body), 300).toFixed(1)} µs |`;
  });
  const data = JSON.stringify({
    id: 'c',
    choices: [{ index: 0, delta: { content: ' house' } }],
    created: 1,
    model: 'm',
  });
  const gauge = meter.gauge('p/m');
  lines.push(
    `| a sample of a chunk, every 400 characters | ${best(() => gauge.sample({ data, words: undefined }, 6), 3000).toFixed(1)} µs |`,
  );
  lines.push(
    `| a chunk's text kept, while money is scarce | ${best(() => void textInside(data), 3000).toFixed(1)} µs |`,
  );
  return `What it costs\n\n| | |\n|---|---|\n${lines.join('\n')}\n`;
}

function best(task: () => void, times: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 10; round++) {
    const from = performance.now();
    for (let each = 0; each < times; each++) task();
    least = Math.min(least, ((performance.now() - from) * 1000) / times);
  }
  return least;
}

function surfaceOf(format: Format, model: string): Surface {
  return { format, kind: 'generate', model } as Surface;
}

if (import.meta.main) {
  if (!recordingsFolder) process.exit(1);
  const dataset = resolve(recordingsFolder, '..', 'datasets', 'token_counts', 'dev.jsonl.gz');
  const text = gunzipSync(readFileSync(dataset)).toString('utf8').trim();
  const rows = text.split('\n').map((line) => JSON.parse(line) as Row);
  const { byProvider, byScript } = prompts(rows, createMeter(clock));
  const ofText: Errors = new Map();
  const whole = answers(rows, createMeter(clock), ofText);
  const { errors, packed } = streams(createMeter(clock));
  const report = [
    table('Prompts: estimate / billed input', byProvider),
    table('Prompts by script', byScript),
    table('Whole answers: estimate / billed output', whole),
    table('Whole answers by script', ofText),
    table('Streams: estimate / billed output', errors),
    packing(packed),
    costs(createMeter(clock)),
  ].join('\n');
  console.log(report);
  if (process.argv.includes('--write')) write(report);
}

/** Its own section of the figures, between two marks. */
function write(report: string): void {
  const file = resolve(import.meta.dirname, 'README.md');
  const [from, to] = ['<!-- estimates -->\n', '<!-- end of estimates -->'];
  const before = readFileSync(file, 'utf8');
  const start = before.indexOf(from) + from.length;
  writeFileSync(file, `${before.slice(0, start)}\n${report}\n${before.slice(before.indexOf(to))}`);
}
