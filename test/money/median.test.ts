// Where many streams share the end of a budget: with a flat first hold none of them ends whole, with the learned length
// of their answers all that are let in do. Real holds, top-ups and meters, in step.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBudget } from '../../src/budget/budget.ts';
import { openJournal } from '../../src/budget/journal.ts';
import type { Caller } from '../../src/exchange/caller.ts';
import { Frame } from '../../src/exchange/frame.ts';
import type { Snapshot } from '../../src/exchange/policy.ts';
import type { Rate } from '../../src/exchange/rate.ts';
import { Refusal } from '../../src/exchange/refusal.ts';
import { admit, clampFor, toldLimit } from '../../src/hold-amount.ts';
import { createMeter } from '../../src/meter/meter.ts';
import { createMetering, type Metering } from '../../src/metering.ts';
import { cost } from '../../src/price/cost.ts';
import { nameOf } from '../../src/pricing.ts';
import type { Exchange, Rooms } from '../../src/rooms.ts';
import type { Tokenizer } from '../../src/world/world.ts';
import { caller, manualClock, memoryFolder, quiet, receipt, rule, target } from '../ledger.ts';
import { plainOutline } from '../outline.ts';

/** 15 USD a million tokens of output: an answer of 1,600 tokens costs 0.024 USD, and a dollar pays 41 of them. */
const rate: Rate = {
  version: 'test',
  longContext: 'whole_request',
  tiers: [{ above: 0, prices: { input: 1_000_000, output: 15_000_000 } }],
  services: {},
};
const answerTokens = 1600;
const to = target('openai', 'gpt-4o');
const who = caller('k1');
const outline = plainOutline({ model: 'gpt-4o', bytes: 40 });
/** Sixteen tokens an event. */
const words = ' the house by the sea is old and its door is open to the wind';
const frame = new Frame(Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { content: words } }] })}\n\n`));

/** Exact, as the worker is. */
const tokenizer: Tokenizer = {
  count: (text) => Promise.resolve(Math.ceil((text.length / words.length) * 16)),
  warm: () => undefined,
};

function world() {
  const clock = manualClock(Date.UTC(2026, 10, 21));
  const budgets = [rule('global', 1_000_000_000)];
  const rooms = {
    world: { clock, log: quiet, tokenizer },
    prices: { rate: () => rate, cost, lacks: () => [] },
    budget: createBudget({ clock, log: quiet }, openJournal(memoryFolder(), clock), {
      live: { budgets: () => budgets, caller: (known: Caller) => known },
    }),
    meter: createMeter(clock),
    budgets: () => budgets,
  } as unknown as Rooms;
  return { rooms, budgets };
}

interface Stream {
  readonly metering: Metering;
  readonly exchange: Exchange;
  /** Where the money it was let in with was short of its first hold, its output limit. */
  readonly limit: number;
  tokens: number;
  ended?: 'whole' | 'cut' | 'short';
}

async function letIn({ rooms, budgets }: ReturnType<typeof world>, id: string): Promise<Stream | undefined> {
  const raw = Buffer.from('{"messages":[{"content":"Tell me."}]}');
  const wants = { id, caller: who, target: to, budgets, extra: [], outline, request: { raw, body: {}, members: [] } };
  try {
    const taken = await admit(rooms, { ...wants, policy: { prices: [] } as unknown as Snapshot });
    const exchange = { ...wants, ...taken, asks: {}, draft: { charges: [] } } as unknown as Exchange;
    const clamp = clampFor(rooms, exchange, to);
    const gauge = rooms.meter.gauge(nameOf(to));
    const metering = createMetering({
      rooms,
      exchange,
      target: to,
      gauge,
      clamp,
      outputLimit: toldLimit(exchange, clamp),
    });
    return { metering, exchange, limit: clamp?.outputLimit ?? Number.POSITIVE_INFINITY, tokens: 0 };
  } catch (error) {
    if (error instanceof Refusal && error.refusal === 'budget_exceeded') return undefined;
    throw error;
  }
}

async function run(asked: number, learned: boolean): Promise<{ admitted: number; whole: number; posted: number }> {
  const made = world();
  const { rooms, budgets } = made;
  if (learned) for (let each = 0; each < 20; each++) learn(rooms);
  const streams: Stream[] = [];
  for (let number = 0; number < asked; number++) {
    const stream = await letIn(made, `s${number}`);
    if (stream) streams.push(stream);
  }
  for (let open = streams.length; open > 0; ) {
    for (const stream of streams) {
      if (stream.ended) continue;
      stream.tokens += 16;
      const verdict = await stream.metering.meter((stream.tokens / 16) * words.length, undefined, frame);
      if (verdict) stream.ended = 'cut';
      else if (stream.tokens >= answerTokens) stream.ended = 'whole';
      else if (stream.tokens >= stream.limit) stream.ended = 'short';
      else continue;
      open--;
      stream.metering.close();
      const { hold, id } = stream.exchange as Exchange & { readonly id: string };
      // The prompt is a few tokens: what counts is the answer.
      rooms.budget.close(hold, receipt(id, stream.tokens * 15_000));
    }
  }
  const [balance] = rooms.budget.balances(budgets);
  const whole = streams.filter(({ ended }) => ended === 'whole').length;
  return { admitted: streams.length, whole, posted: balance?.posted ?? 0 };
}

function learn(rooms: Rooms): void {
  const gauge = rooms.meter.gauge(nameOf(to));
  for (let each = 0; each < 10; each++) gauge.sample(frame, words.length);
  gauge.learn(100 * words.length, answerTokens);
  rooms.meter.learnLength('k1', nameOf(to), answerTokens, 0);
}

test('1,000 streams on 1 USD with a flat first hold: most of the money buys halves', async () => {
  const { admitted, whole, posted } = await run(1000, false);
  assert.ok(admitted > 100, `${admitted} admitted`);
  assert.equal(whole, 0);
  assert.ok(posted <= 1_000_000_000, `${posted}`);
});

test('1,000 streams on 1 USD with the learned length: who is let in has a whole answer', async () => {
  const { admitted, whole, posted } = await run(1000, true);
  // 41 answers cost 0.984 USD; prompts and the low-water marks of those that are under way take one of them.
  assert.ok(admitted >= 40 && admitted <= 41, `${admitted} admitted`);
  // The last one let in has what was left, and is clamped to it.
  assert.ok(whole >= 39, `${whole} of ${admitted} whole`);
  assert.ok(posted <= 1_000_000_000 && posted >= 0.95 * 1_000_000_000, `${posted}`);
});
