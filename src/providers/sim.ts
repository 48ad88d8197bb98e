// The built-in provider: answers OpenAI chat requests without a network, a key or chance, and fails on request.

import { Buffer } from 'node:buffer';
import { answer, type SimChoice, type SimSegment } from './sim-answer.ts';
import { failureOf, failures, notFound, refused, spoil } from './sim-failures.ts';
import { readRequest, type SimRequest } from './sim-request.ts';
import { isObject } from './sim-schema.ts';
import type { SimScript, SimStep } from './sim-script.ts';
import { hashOf } from './sim-text.ts';

export type { SimScript, SimStep } from './sim-script.ts';

/** Every model there is; the price catalogue knows them all. */
export const simModels: readonly string[] = [
  'sim-small',
  'sim-large',
  'sim-long',
  'sim-slow',
  'sim-reasoner',
  ...Object.keys(failures),
];

/** Milliseconds a token. */
const pace: Readonly<Record<string, number>> = { 'sim-slow': 100, 'sim-long': 1 };
const usualPaceMs = 2;
/** A pure function has no clock: 2026-01-01. */
const created = 1_767_225_600;

export function simulate(body: Buffer, stream: boolean): SimScript {
  const parsed = parse(body);
  if (!isObject(parsed)) return refused('The body is not a JSON object.', null);
  const model = String(parsed.model);
  if (!simModels.includes(model)) return notFound(model, simModels);
  const failure = failureOf(model);
  if (failure) return failure;
  const request = readRequest(parsed);
  if ('message' in request) return refused(request.message, request.param);
  const choices = Array.from({ length: request.choices }, (_, index) => answer(request, index));
  return spoil(model, stream ? streamed(request, choices) : whole(request, choices));
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function paceOf(model: string): number {
  return pace[model] ?? usualPaceMs;
}

function idOf(request: SimRequest): string {
  return `chatcmpl-sim-${hashOf(`${request.model}\n${request.whole}`).toString(16).padStart(8, '0')}`;
}

function usageOf(request: SimRequest, choices: readonly SimChoice[]): Record<string, unknown> {
  const output = choices.reduce((sum, choice) => sum + choice.tokens, 0);
  const reasoning = choices.reduce((sum, choice) => sum + choice.reasoningTokens, 0);
  return {
    prompt_tokens: request.inputTokens,
    completion_tokens: output,
    total_tokens: request.inputTokens + output,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

function whole(request: SimRequest, choices: readonly SimChoice[]): SimScript {
  const body = {
    id: idOf(request),
    object: 'chat.completion',
    created,
    model: request.model,
    choices: choices.map((choice, index) => ({
      index,
      message: messageOf(choice),
      logprobs: null,
      finish_reason: choice.finish,
    })),
    usage: usageOf(request, choices),
  };
  const longest = Math.max(...choices.map(({ tokens }) => tokens));
  const bytes = Buffer.from(JSON.stringify(body), 'utf8');
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    steps: [{ afterMs: longest * paceOf(request.model), bytes }],
    ends: 'end',
  };
}

function messageOf({ segments }: SimChoice): Record<string, unknown> {
  const textOf = (kind: SimSegment['kind']) => segments.find((one) => one.kind === kind)?.tokens.join('');
  const reasoning = textOf('reasoning');
  const tools = segments.filter(({ kind }) => kind === 'tool');
  return {
    role: 'assistant',
    content: tools.length > 0 ? null : (textOf('text') ?? ''),
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(tools.length === 0
      ? {}
      : {
          tool_calls: tools.map(({ id, name, tokens }) => ({
            id,
            type: 'function',
            function: { name, arguments: tokens.join('') },
          })),
        }),
    refusal: null,
  };
}

function streamed(request: SimRequest, choices: readonly SimChoice[]): SimScript {
  const head = { id: idOf(request), object: 'chat.completion.chunk', created, model: request.model };
  const afterMs = paceOf(request.model);
  const steps: SimStep[] = [];
  const push = (after: number, choicesOfChunk: unknown[], usage?: unknown): void => {
    const chunk = {
      ...head,
      choices: choicesOfChunk,
      ...(request.wantsUsage ? { usage: usage ?? null } : {}),
    };
    steps.push({ afterMs: after, bytes: Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`, 'utf8') });
  };
  const delta = (index: number, value: unknown, finish: string | null = null) => [
    { index, delta: value, logprobs: null, finish_reason: finish },
  ];
  for (const [index, choice] of choices.entries()) {
    push(steps.length === 0 ? afterMs : 0, delta(index, { role: 'assistant', content: '' }));
    for (const segment of choice.segments) {
      for (const value of deltasOf(segment)) push(afterMs, delta(index, value));
    }
    push(0, delta(index, {}, choice.finish));
  }
  if (request.wantsUsage) push(0, [], usageOf(request, choices));
  steps.push({ afterMs: 0, bytes: Buffer.from('data: [DONE]\n\n', 'utf8') });
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' },
    steps,
    ends: 'end',
  };
}

function deltasOf({ kind, tokens, index, id, name }: SimSegment): unknown[] {
  if (kind === 'text') return tokens.map((content) => ({ content }));
  if (kind === 'reasoning') return tokens.map((text) => ({ reasoning_content: text }));
  const opening = { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] };
  return [opening, ...tokens.map((text) => ({ tool_calls: [{ index, function: { arguments: text } }] }))];
}
