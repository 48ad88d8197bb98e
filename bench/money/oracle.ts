// The provider whose own count is the truth: it bills what it generated, hidden reasoning included, as real ones do.
// How an answer goes stands in the model's name: `words-200`, `mixed` (20 to 600, seeded), `think-300-100`.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { createChance } from '../../sim/chance.ts';

export interface OracleOptions {
  readonly seed?: number;
  /** Tokens that leave in one event, and the pause between two. */
  readonly tokensPerChunk?: number;
  readonly chunkMs?: number;
  /** Until the first event. */
  readonly firstMs?: number;
}

/** One request as the provider would bill it. */
export interface Bill {
  readonly stream: boolean;
  readonly input: number;
  /** Visible and hidden tokens generated so far. */
  output: number;
  /** The whole answer left: neither cut nor abandoned. */
  whole: boolean;
  /** Epoch ms at which the other side hung up. */
  hungUpAt?: number;
  readonly startedAt: number;
}

export interface Oracle {
  /** For `providers:` of a configuration. */
  readonly provider: Readonly<Record<string, unknown>>;
  readonly bills: readonly Bill[];
  /** Streams and answers being made now. */
  readonly busy: number;
  /** Nano-USD of everything that was generated. */
  cost(): number;
  /** Of answers that were whole. */
  wholeCost(): number;
  close(): Promise<void>;
}

/** USD per million tokens; the configuration of the fleet prices `oracle/*` alike. */
export const prices = { input: 2.5, output: 10 };
const nanoPerToken = { input: prices.input * 1000, output: prices.output * 1000 };

/** Each is one token of the usual tokenizers with the blank before it. */
const words = ' the of and to in is that for it was on are as with his they at be this from'.match(/ \w+/g) ?? [];

export async function startOracle(options: OracleOptions = {}): Promise<Oracle> {
  const { seed = 1, tokensPerChunk = 10, chunkMs = 10, firstMs = 20 } = options;
  const chance = createChance(seed);
  const bills: Bill[] = [];
  let busy = 0;

  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    void answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = JSON.parse(await read(request)) as Asked;
    const plan = planOf(asked, chance);
    const bill: Bill = {
      stream: asked.stream === true,
      input: plan.input,
      output: 0,
      whole: false,
      startedAt: Date.now(),
    };
    bills.push(bill);
    busy++;
    response.on('close', () => {
      busy--;
      if (!bill.whole) bill.hungUpAt = Date.now();
    });
    const gone = (): boolean => response.destroyed || bill.hungUpAt !== undefined;
    await wait(firstMs);
    // Hidden reasoning is generated, and billed, whether or not anybody hears of it.
    for (let made = 0; made < plan.hidden && !gone(); made += tokensPerChunk) {
      bill.output += Math.min(tokensPerChunk, plan.hidden - made);
      await wait(chunkMs);
    }
    if (gone()) return;
    if (bill.stream) response.writeHead(200, { 'content-type': 'text/event-stream' });
    let text = '';
    for (let made = 0; made < plan.visible && !gone(); made += tokensPerChunk) {
      const tokens = Math.min(tokensPerChunk, plan.visible - made);
      const piece = Array.from({ length: tokens }, (_, index) => words[(made + index) % words.length]).join('');
      bill.output += tokens;
      if (bill.stream)
        response.write(event({ choices: [{ index: 0, delta: { content: piece }, finish_reason: null }] }));
      else text += piece;
      await wait(chunkMs);
    }
    if (gone()) return;
    bill.whole = true;
    const usage = usageOf(bill, plan.hidden);
    const finish = plan.limited ? 'length' : 'stop';
    if (bill.stream) {
      response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: finish }] }));
      response.end(`${event({ choices: [], usage })}data: [DONE]\n\n`);
      return;
    }
    const message = { role: 'assistant', content: text };
    const choices = [{ index: 0, message, finish_reason: finish }];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ id: 'o', object: 'chat.completion', created: 1, model: asked.model, choices, usage }),
    );
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sum = (of: readonly Bill[]): number =>
    of.reduce((all, { input, output }) => all + input * nanoPerToken.input + output * nanoPerToken.output, 0);
  return {
    provider: {
      format: 'openai-chat',
      base_url: `http://127.0.0.1:${port}/v1`,
      auth: 'none',
      billing: { abort_stops: true, low_water: 64 },
    },
    bills,
    get busy() {
      return busy;
    },
    cost: () => sum(bills),
    wholeCost: () => sum(bills.filter(({ whole }) => whole)),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Asked {
  readonly model: string;
  readonly stream?: boolean;
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly messages: readonly { readonly content: string }[];
}

interface Plan {
  readonly input: number;
  readonly hidden: number;
  readonly visible: number;
  /** The limit ended it. */
  readonly limited: boolean;
}

function planOf(asked: Asked, chance: { below(most: number): number }): Plan {
  const [, kind = 'words', first = '100', second = '0'] = /^(\w+?)(?:-(\d+))?(?:-(\d+))?$/.exec(asked.model) ?? [];
  const wantsHidden = kind === 'think' ? Number(first) : 0;
  // Most answers are short and some are long, as people's are.
  const mixed = chance.below(10) === 0 ? 300 + chance.below(300) : 20 + chance.below(230);
  const wantsVisible = kind === 'think' ? Number(second) : kind === 'mixed' ? mixed : Number(first);
  const limit = asked.max_completion_tokens ?? asked.max_tokens ?? Number.POSITIVE_INFINITY;
  const hidden = Math.min(wantsHidden, limit);
  const visible = Math.min(wantsVisible, limit - hidden);
  const text = asked.messages.map(({ content }) => content).join(' ');
  const input = 4 + text.split(/\s+/).filter(Boolean).length;
  return { input, hidden, visible, limited: hidden + visible < wantsHidden + wantsVisible };
}

function usageOf({ input, output }: Bill, hidden: number): Record<string, unknown> {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    completion_tokens_details: { reasoning_tokens: hidden },
  };
}

function event(fields: Record<string, unknown>): string {
  const head = { id: 'o', object: 'chat.completion.chunk', created: 1, model: 'oracle' };
  return `data: ${JSON.stringify({ ...head, ...fields })}\n\n`;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
