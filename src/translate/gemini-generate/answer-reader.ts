// Gemini's answers as parts. A stream is a series of answers that each add to the last, so one reader serves both.

import { createHash } from 'node:crypto';
import type { Part } from '../../exchange/part.ts';
import type { Usage } from '../../exchange/usage.ts';
import { decodeCitations } from './citations.ts';
import { errorOf, failureOf, unreadable } from './errors.ts';
import { blockWord, finishWord, neutralFinish } from './finish.ts';
import { decodeLogprobs } from './logprobs.ts';
import { type Choice, closeCall, readPart } from './part-reader.ts';
import { decodeUsage, mapsPrompts, mergeMetadata, searches, withSearches } from './usage.ts';
import { type Fields, field, fieldsOf, isFields, listOf, numberOf, textOf } from './wire.ts';

export interface AnswerReader {
  /** One answer object: the whole of it, or a stream's next. */
  read(body: unknown): Part[];
  /** What was held back: finish reasons, and `end` where the answer was whole. */
  end(): Part[];
}

interface State {
  started: boolean;
  failed: boolean;
  /** Seed of the ids of calls that come without: unique among the answers of a conversation. */
  seed: string;
  model: string;
  usage?: Usage;
  metadata: Fields;
  webSearches: number;
  maps: number;
  readonly choices: Map<number, Choice>;
}

export function answerReader(): AnswerReader {
  const state: State = {
    started: false,
    failed: false,
    seed: '',
    model: '',
    metadata: {},
    webSearches: 0,
    maps: 0,
    choices: new Map(),
  };
  return {
    read(body) {
      const parts: Part[] = [];
      readAnswer(body, state, parts);
      return parts;
    },
    end() {
      const parts: Part[] = [];
      finishAnswer(state, parts);
      return parts;
    },
  };
}

function readAnswer(body: unknown, state: State, parts: Part[]): void {
  const error = errorOf(body);
  if (error || !isFields(body)) {
    state.failed = true;
    if (isFields(body)) readUsage(body, [], state, parts);
    parts.push({ type: 'error', failure: error ? failureOf(error) : unreadable });
    return;
  }
  start(body, state, parts);
  const candidates = listOf(body.candidates);
  candidates.forEach((each, position) => {
    const candidate = fieldsOf(each);
    readCandidate(candidate, numberOf(candidate.index) ?? position, state, parts);
  });
  const blocked = blockWord(field(fieldsOf(field(body, 'promptFeedback')), 'blockReason'));
  if (blocked !== undefined && candidates.length === 0) choiceOf(state, 0).finish ??= `blocked:${blocked}`;
  readUsage(body, candidates, state, parts);
}

function start(body: Fields, state: State, parts: Part[]): void {
  if (state.started) return;
  state.started = true;
  const id = textOf(field(body, 'responseId'));
  const model = textOf(field(body, 'modelVersion'));
  const created = Date.parse(textOf(field(body, 'createTime')) ?? '');
  state.model = model ?? '';
  state.seed = id ?? createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16);
  parts.push({
    type: 'start',
    ...(id === undefined ? {} : { id }),
    ...(model === undefined ? {} : { model }),
    ...(Number.isNaN(created) ? {} : { created: Math.floor(created / 1000) }),
  });
}

function readUsage(body: Fields, candidates: readonly unknown[], state: State, parts: Part[]): void {
  // Grounding comes in one chunk of a stream, the counts in another; the largest count of searches is the whole.
  state.webSearches = Math.max(state.webSearches, searches(candidates, state.model));
  state.maps = Math.max(state.maps, mapsPrompts(candidates));
  const metadata = mergeMetadata(state.metadata, field(body, 'usageMetadata'));
  if (metadata !== state.metadata) {
    state.metadata = metadata;
    state.usage = decodeUsage(metadata);
  } else if (state.webSearches === (state.usage?.webSearches ?? 0)) return;
  if (state.usage) {
    state.usage = withSearches(state.usage, state.webSearches, state.maps);
    parts.push({ type: 'usage', usage: state.usage });
  }
}

function choiceOf(state: State, index: number): Choice {
  let choice = state.choices.get(index);
  if (!choice) {
    choice = { text: '', calls: 0, cited: new Set() };
    state.choices.set(index, choice);
  }
  return choice;
}

function readCandidate(candidate: Fields, index: number, state: State, parts: Part[]): void {
  const choice = choiceOf(state, index);
  const content = fieldsOf(candidate.content);
  const before = parts.length;
  for (const each of listOf(content.parts)) readPart(fieldsOf(each), index, choice, state.seed, parts);
  const logprobs = decodeLogprobs(fieldsOf(field(candidate, 'logprobsResult')));
  if (logprobs) attach(logprobs, index, before, parts);
  for (const citation of decodeCitations(candidate, choice.text)) {
    const key = JSON.stringify(citation);
    if (choice.cited.has(key)) continue;
    choice.cited.add(key);
    parts.push({ type: 'citation', choice: index, citation });
  }
  const finish = finishWord(field(candidate, 'finishReason'));
  // Early models put STOP on every chunk: the last word counts, and is told at the end.
  if (finish !== undefined) choice.finish = finish;
}

/** The probabilities belong to the candidate's tokens of this chunk: they ride on its last text. */
function attach(logprobs: unknown, choice: number, from: number, parts: Part[]): void {
  for (let index = parts.length - 1; index >= from; index--) {
    const part = parts[index];
    if (part?.type === 'text-delta' && part.choice === choice) {
      parts[index] = { ...part, logprobs };
      return;
    }
  }
  parts.push({ type: 'text-delta', choice, text: '', logprobs });
}

function finishAnswer(state: State, parts: Part[]): void {
  let whole = state.choices.size > 0 && !state.failed;
  for (const [index, choice] of state.choices) {
    if (choice.finish === undefined) {
      whole = false;
      continue;
    }
    closeCall(choice, index, parts);
    const blocked = choice.finish.startsWith('blocked:');
    const raw = blocked ? choice.finish.slice(8) : choice.finish;
    parts.push({
      type: 'finish',
      choice: index,
      reason: blocked ? 'content-filter' : neutralFinish(raw, choice.calls > 0),
      raw,
    });
  }
  if (whole) parts.push({ type: 'end' });
}
