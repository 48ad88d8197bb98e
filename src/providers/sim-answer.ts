// One choice of the built-in provider's answer, cut where the output limit or a stop sequence ends it.

import type { SimRequest } from './sim-request.ts';
import { isObject, valueFor } from './sim-schema.ts';
import { answerTokens, hashOf, reasoningTokens, tokensOf } from './sim-text.ts';

/** A stretch of one choice; each of its tokens is one chunk of a stream. */
export interface SimSegment {
  readonly kind: 'reasoning' | 'text' | 'tool';
  readonly tokens: readonly string[];
  /** Of a tool call. */
  readonly index?: number;
  readonly name?: string;
  readonly id?: string;
}

export interface SimChoice {
  readonly segments: readonly SimSegment[];
  readonly finish: 'stop' | 'length' | 'tool_calls';
  readonly tokens: number;
  readonly reasoningTokens: number;
}

const lengths: Readonly<Record<string, number>> = { 'sim-long': 2000, 'sim-slow': 60 };

export function answer(request: SimRequest, choice: number): SimChoice {
  const seed = hashOf(`${request.model}\n${choice}\n${request.whole}`);
  const wanted: SimSegment[] = request.reasons ? [{ kind: 'reasoning', tokens: reasoningTokens(request.asked) }] : [];
  wanted.push(...body(request, seed));
  const segments: SimSegment[] = [];
  let left = request.maxTokens;
  let cut = false;
  for (const segment of wanted) {
    if (left <= 0) {
      cut = true;
      break;
    }
    if (segment.tokens.length > left) cut = true;
    segments.push({ ...segment, tokens: segment.tokens.slice(0, left) });
    left -= Math.min(left, segment.tokens.length);
  }
  const tokens = segments.reduce((sum, segment) => sum + segment.tokens.length, 0);
  const reasoning = segments[0]?.kind === 'reasoning' ? segments[0].tokens.length : 0;
  const whole = request.calls.length > 0 ? 'tool_calls' : 'stop';
  return { segments, finish: cut ? 'length' : whole, tokens, reasoningTokens: reasoning };
}

function body(request: SimRequest, seed: number): SimSegment[] {
  if (request.calls.length > 0) {
    return request.calls.map(({ name, schema }, index) => ({
      kind: 'tool',
      index,
      name,
      id: `call_sim_${seed.toString(16).padStart(8, '0')}_${index}`,
      tokens: tokensOf(JSON.stringify(toolInput(schema))),
    }));
  }
  if (request.schema !== undefined) {
    const value = request.schema === true ? { answer: 'simulated', asked: request.asked } : valueFor(request.schema);
    return [{ kind: 'text', tokens: tokensOf(JSON.stringify(value)) }];
  }
  const wanted = lengths[request.model] ?? 24 + (seed % 24);
  return [{ kind: 'text', tokens: stopped(answerTokens(request.model, request.asked, seed, wanted), request.stop) }];
}

/** Arguments are an object, whatever the schema says. */
function toolInput(schema: unknown): unknown {
  const value = valueFor(schema);
  return isObject(value) ? value : {};
}

function stopped(tokens: string[], stop: readonly string[]): string[] {
  const text = tokens.join('');
  const at = Math.min(...stop.map((one) => text.indexOf(one)).filter((index) => index >= 0), text.length);
  return at === text.length ? tokens : tokensOf(text.slice(0, at));
}
