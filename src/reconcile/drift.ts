// Our books beside a provider's bill, by day and model: what differs, and the rows that would make it right.

import { createHash } from 'node:crypto';
import type { NanoUsd } from '../exchange/money.ts';
import type { CorrectionRow } from '../exchange/receipt.ts';
import { inputTokens, outputTokens, type Usage } from '../exchange/usage.ts';
import { readCsvStatement } from './csv.ts';
import { readJsonStatement, type Statement, StatementError } from './statement.ts';

/** What our books have of a model on a day. */
export interface OursLine {
  readonly day: string;
  readonly model: string;
  readonly requests: number;
  readonly cost: NanoUsd;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Of the cost, what rests on an estimate; undefined where it was not counted. */
  readonly estimated?: NanoUsd;
}

export interface Drift {
  readonly day: string;
  /** Ours; theirs where we have none; `*` where the bill does not tell models apart. */
  readonly model: string;
  readonly requests: number;
  readonly ours: NanoUsd;
  readonly theirs: NanoUsd;
  readonly estimated: NanoUsd | undefined;
  readonly inputTokens: readonly [ours: number, theirs: number | undefined];
  readonly outputTokens: readonly [ours: number, theirs: number | undefined];
}

/** Throws `StatementError`. */
export function readStatement(written: string): Statement {
  if (written.trim() === '') throw new StatementError('it is empty');
  if (!/^\s*[[{]/.test(written)) return readCsvStatement(written);
  let value: unknown;
  try {
    value = JSON.parse(written);
  } catch {
    throw new StatementError('it is cut off, or no JSON');
  }
  return readJsonStatement(value);
}

export interface DriftParts {
  /** The cost of a usage of theirs on a day; undefined where the model has no price. */
  price(model: string, usage: Usage, day: string): NanoUsd | undefined;
  /** One name for all names of a model: `gpt-4o-2024-08-06` is `gpt-4o`. */
  family(model: string): string;
}

interface Sum {
  model: string;
  requests: number;
  ours: NanoUsd;
  dearest: NanoUsd;
  theirs: NanoUsd;
  estimated: NanoUsd | undefined;
  input: [number, number | undefined];
  output: [number, number | undefined];
}

/** Only days that the bill covers. Throws `StatementError` for usage that has no price. */
export function driftOf(statement: Statement, ours: readonly OursLine[], parts: DriftParts): Drift[] {
  const whole = statement.lines.every((line) => line.model === '');
  const sums = new Map<string, Sum>();
  const sumOf = (day: string, model: string): Sum => {
    const key = `${day}\n${whole ? '*' : parts.family(model)}`;
    let sum = sums.get(key);
    if (!sum) {
      const empty: [number, undefined] = [0, undefined];
      sum = {
        model: whole ? '*' : model,
        requests: 0,
        ours: 0,
        dearest: -1,
        theirs: 0,
        estimated: 0,
        input: [...empty],
        output: [...empty],
      };
      sums.set(key, sum);
    }
    return sum;
  };
  for (const line of ours) {
    if (!statement.days.includes(line.day)) continue;
    const sum = sumOf(line.day, line.model);
    if (!whole && line.cost > sum.dearest) [sum.model, sum.dearest] = [line.model, line.cost];
    sum.requests += line.requests;
    sum.ours += line.cost;
    sum.estimated =
      sum.estimated === undefined || line.estimated === undefined ? undefined : sum.estimated + line.estimated;
    sum.input[0] += line.inputTokens;
    sum.output[0] += line.outputTokens;
  }
  for (const { day, model, usage, cost } of statement.lines) {
    const sum = sumOf(day, model);
    const amount = cost ?? (usage && parts.price(model, usage, day));
    if (amount === undefined) throw new StatementError(`${model || 'a line'} on ${day} has no price here and no cost`);
    sum.theirs += amount;
    if (!usage) continue;
    sum.input[1] = (sum.input[1] ?? 0) + inputTokens(usage);
    sum.output[1] = (sum.output[1] ?? 0) + outputTokens(usage);
  }
  return [...sums]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, sum]) => ({
      day: key.slice(0, 10),
      model: sum.model,
      requests: sum.requests,
      ours: sum.ours,
      theirs: sum.theirs,
      estimated: sum.estimated,
      inputTokens: sum.input,
      outputTokens: sum.output,
    }));
}

/** Identifies an import: the same text again changes nothing. */
export function importChecksum(written: string): string {
  return createHash('sha256').update(written).digest('hex').slice(0, 16);
}

/** The row that brings our books to the bill; undefined where nothing differs. */
export function correctionOf(
  drift: Drift,
  { provider, checksum, kind, at }: { provider: string; checksum: string; kind: Statement['kind']; at: number },
): Omit<CorrectionRow, 'accounts'> | undefined {
  const amount = drift.theirs - drift.ours;
  if (amount === 0) return undefined;
  const { day, model } = drift;
  return {
    type: 'correction',
    id: `reconcile:${provider}:${day}:${model}:${checksum}`,
    at,
    day,
    provider,
    model,
    amount,
    reason: `${kind} export ${checksum}`,
  };
}
