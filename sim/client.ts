// A simulated client: sends one request through the inbound port and keeps what came back, byte for byte.

import type { InboundListener, InboundReply, InboundRequest } from '../src/world/world.ts';
import type { SimClock } from './clock.ts';

export interface ClientRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Leaves this long after sending; undefined stays to the end. */
  readonly leavesAfterMs?: number;
  /** Told of the bytes as the gateway gets them. */
  readonly sent?: (body: Buffer) => void;
  /** Stops reading after so many bytes, for this long. */
  readonly stalls?: { readonly afterBytes: number; readonly forMs: number };
}

export interface ClientAnswer {
  status: number;
  headers: Readonly<Record<string, string | number>>;
  body: string;
  /** `whole`: the server ended it; `left`: the client did; `torn`: the server dropped the connection. */
  end: 'open' | 'whole' | 'left' | 'torn';
}

type Listeners = Map<string, ((argument?: never) => void)[]>;

export function send(clock: SimClock, listener: InboundListener, wanted: ClientRequest): ClientAnswer {
  const answer: ClientAnswer = { status: 0, headers: {}, body: '', end: 'open' };
  const inbound: Listeners = new Map();
  const outbound: Listeners = new Map();
  const emit = (listeners: Listeners, event: string, argument?: unknown): void => {
    for (const each of listeners.get(event) ?? []) each(argument as never);
  };
  const on = (listeners: Listeners) => (event: string, each: (argument?: never) => void) => {
    listeners.set(event, [...(listeners.get(event) ?? []), each]);
    if (listeners === inbound && event === 'data') clock.soon(deliver);
  };
  let waiting = 0;
  let finished = false;
  let stalled = false;

  function deliver(): void {
    if (wanted.body !== '') emit(inbound, 'data', Buffer.from(wanted.body));
    emit(inbound, 'end');
  }

  function take(chunk: Uint8Array | string, latin1?: 'latin1'): boolean {
    if (answer.end !== 'open') return true;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, latin1) : Buffer.from(chunk);
    answer.body += bytes.toString('utf8');
    const { stalls } = wanted;
    if (stalls && !stalled && answer.body.length > stalls.afterBytes) {
      stalled = true;
      waiting = chunk.length;
      clock.after(stalls.forMs, () => {
        waiting = 0;
        emit(outbound, 'drain');
      });
    }
    return waiting === 0;
  }

  function close(end: 'whole' | 'left' | 'torn'): void {
    if (answer.end !== 'open') return;
    answer.end = end;
    emit(inbound, 'close');
    emit(outbound, 'close');
  }

  const request = {
    method: wanted.method ?? 'POST',
    url: wanted.path,
    rawHeaders: Object.entries(wanted.headers).flat(),
    headers: wanted.headers,
    on: on(inbound),
    onBody(take: (piece: Buffer | null) => void) {
      clock.soon(() => {
        if (wanted.body !== '') {
          const bytes = Buffer.from(wanted.body);
          wanted.sent?.(bytes);
          take(bytes);
        }
        take(null);
      });
    },
    pause: () => undefined,
    resume: () => undefined,
  } as unknown as InboundRequest;

  const reply = {
    writeHead(status: number, headers: Readonly<Record<string, string | number>>) {
      answer.status = status;
      answer.headers = headers;
    },
    write: take,
    end(chunk?: Uint8Array | string) {
      if (chunk !== undefined) take(chunk);
      finished = true;
      clock.soon(() => close('whole'));
    },
    destroy: () => close('torn'),
    setTimeout: (ms: number, idle: () => void) => void clock.after(ms, () => answer.end === 'open' && idle()),
    flushHeaders: () => undefined,
    on: on(outbound),
    get writableFinished() {
      return finished;
    },
    get writableLength() {
      return waiting;
    },
  } as unknown as InboundReply;

  listener(request, reply);
  if (wanted.leavesAfterMs !== undefined) clock.after(wanted.leavesAfterMs, () => !finished && close('left'));
  return answer;
}
