// Simulated providers behind the network port: whole answers and streams in two formats, and every way of going wrong.

import type { CallHandle, CallHandler, TokenRequest, WireRequest } from '../src/exchange/wire.ts';
import type { Network } from '../src/world/world.ts';
import type { Chance } from './chance.ts';
import type { SimClock } from './clock.ts';

/** `slow` and `late` think in silence for longer than the gateway's heartbeat; `late` then fails. */
const behaviours = [
  'whole',
  'whole',
  'whole',
  'slow',
  'late',
  'error',
  'limit',
  'html',
  'reset',
  'refuse',
  'cut',
  'stall',
  'broken',
] as const;
type Behaviour = (typeof behaviours)[number];

/** What a provider did for one attempt: the truth that the books are held against. */
export interface Deed {
  readonly behaviour: Behaviour;
  readonly provider: string;
  readonly input: number;
  readonly output: number;
  /** Its usage reached the gateway. */
  told: boolean;
  aborted: boolean;
}

interface Step {
  readonly afterMs: number;
  readonly run: () => void;
}

export function createUpstream(clock: SimClock, chance: Chance, deeds: Deed[]): Network {
  return {
    dispatch(request, handler) {
      const behaviour = chance.pick(behaviours);
      const deed: Deed = {
        behaviour,
        provider: 'hold' in request ? request.hold.target.provider.name : '',
        input: 1 + chance.below(400),
        output: 1 + chance.below(800),
        told: false,
        aborted: false,
      };
      deeds.push(deed);
      return play(clock, request, handler, deed, chance);
    },
    close: async () => undefined,
  };
}

function play(
  clock: SimClock,
  request: WireRequest | TokenRequest,
  handler: CallHandler,
  deed: Deed,
  chance: Chance,
): CallHandle {
  let over = false;
  let paused = false;
  const steps = script(request, handler, deed, chance, (last) => {
    over = true;
    last();
  });
  const next = (): void => {
    if (over || paused) return;
    const step = steps.shift();
    if (!step) return;
    clock.after(step.afterMs, () => {
      if (over) return;
      if (paused) {
        steps.unshift(step);
        return;
      }
      step.run();
      next();
    });
  };
  next();
  return {
    abort() {
      if (over) return;
      over = true;
      deed.aborted = true;
      handler.fail({ kind: 'aborted', sent: true, message: 'aborted' });
    },
    pause() {
      paused = true;
    },
    resume() {
      if (!paused) return;
      paused = false;
      next();
    },
  };
}

function script(
  request: WireRequest | TokenRequest,
  handler: CallHandler,
  deed: Deed,
  chance: Chance,
  close: (last: () => void) => void,
): Step[] {
  const wait = (): number => chance.below(80);
  const stream = request.headers.accept === 'text/event-stream';
  const anthropic = request.path.endsWith('/messages');
  const fail = (kind: 'reset' | 'connect', sent: boolean): Step => ({
    afterMs: wait(),
    run: () => close(() => handler.fail({ kind, sent, message: kind })),
  });
  const head = (status: number, type: string): Step => ({
    afterMs: wait(),
    run: () => handler.start(status, { 'content-type': type }),
  });
  const bytes = (text: string, tells = false): Step => ({
    afterMs: wait(),
    run: () => {
      if (tells) deed.told = true;
      handler.data(Buffer.from(text));
    },
  });
  const end: Step = { afterMs: 1, run: () => close(() => handler.end()) };

  switch (deed.behaviour) {
    case 'refuse':
      return [fail('connect', false)];
    case 'reset':
      return [fail('reset', true)];
    case 'html':
      return [head(200, 'text/html'), bytes('<html>Sign in</html>'), end];
    case 'error':
    case 'limit': {
      const status = deed.behaviour === 'limit' ? 429 : 500;
      return [head(status, 'application/json'), bytes(JSON.stringify({ error: { message: 'no', type: 'x' } })), end];
    }
    default:
      break;
  }
  if (!stream) {
    const body = anthropic ? wholeAnthropic(deed) : wholeOpenai(deed);
    if (deed.behaviour === 'stall') return [head(200, 'application/json')];
    if (deed.behaviour !== 'whole')
      return [head(200, 'application/json'), bytes(body.slice(0, 40)), fail('reset', true)];
    return [head(200, 'application/json'), bytes(body, true), end];
  }
  const [frames, tail] = anthropic ? streamAnthropic(deed) : streamOpenai(deed);
  const [preamble = '', ...rest] = frames;
  const silent = deed.behaviour === 'slow' || deed.behaviour === 'late';
  const thinking: Step = { afterMs: silent ? 16_000 + chance.below(10_000) : 0, run: () => undefined };
  const all = [head(200, 'text/event-stream'), bytes(preamble), thinking, ...rest.map((frame) => bytes(frame))];
  if (deed.behaviour === 'late') return [...all.slice(0, 3), fail('reset', true)];
  if (deed.behaviour === 'whole' || deed.behaviour === 'slow')
    return [...all, ...tail.map((frame, index) => bytes(frame, index === 0)), end];
  const cut = all.slice(0, 1 + chance.below(all.length));
  if (deed.behaviour === 'stall') return cut;
  if (deed.behaviour === 'cut') return [...cut, end];
  return [...cut, bytes('data: {"error":{"message":"overloaded","type":"overloaded_error"}}\n\n'), end];
}

function words(tokens: number): string[] {
  return Array.from({ length: Math.ceil(tokens / 10) }, (_, index) => `word ${index} `);
}

const openaiUsage = ({ input, output }: Deed) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
});
const anthropicUsage = ({ input, output }: Deed) => ({ input_tokens: input, output_tokens: output });

function wholeOpenai(deed: Deed): string {
  return JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      { index: 0, message: { role: 'assistant', content: words(deed.output).join('') }, finish_reason: 'stop' },
    ],
    usage: openaiUsage(deed),
  });
}

function wholeAnthropic(deed: Deed): string {
  return JSON.stringify({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: words(deed.output).join('') }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: anthropicUsage(deed),
  });
}

function streamOpenai(deed: Deed): [string[], string[]] {
  const chunk = (rest: object): string =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', ...rest })}\n\n`;
  const delta = (delta: object, reason: string | null = null): string =>
    chunk({ choices: [{ index: 0, delta, finish_reason: reason }] });
  return [
    [
      delta({ role: 'assistant', content: '' }),
      ...words(deed.output).map((content) => delta({ content })),
      delta({}, 'stop'),
    ],
    [chunk({ choices: [], usage: openaiUsage(deed) }), 'data: [DONE]\n\n'],
  ];
}

function streamAnthropic(deed: Deed): [string[], string[]] {
  const event = (value: { type: string }): string => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
  const text = (text: string): string =>
    event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as { type: string });
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
  return [
    [
      event({
        type: 'message_start',
        message: { ...message, usage: { input_tokens: deed.input, output_tokens: 1 } },
      } as { type: string }),
      event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as { type: string }),
      ...words(deed.output).map(text),
      event({ type: 'content_block_stop', index: 0 } as { type: string }),
    ],
    [
      event({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: deed.output },
      } as { type: string }),
      event({ type: 'message_stop' }),
    ],
  ];
}
