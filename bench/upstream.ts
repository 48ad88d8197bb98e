// The provider of a run, in a process of its own: instant answers, or streams in which every chunk is one write at its own moment.
// node bench/upstream.ts PORT. The model in the body says what to stream: `m-CHUNKS-MILLISECONDS`, 0 ms being one chunk a loop turn.

import { createServer, type Socket } from 'node:net';
import { mark, microsNow } from './mark.ts';
import { formatOf, type StreamScript, scriptFor, wholeAnswer } from './upstream-formats.ts';

const port = Number(process.argv[2]);

interface Playing {
  readonly socket: Socket;
  readonly script: StreamScript;
  readonly everyMs: number;
  left: number;
  due: number;
}

/** One queue an interval: all its members wait equally long, so that the order of arrival is the order of the due times. */
const queues = new Map<number, Playing[]>();
let ticking = false;

function chunked(text: string): string {
  return `${Buffer.byteLength(text, 'latin1').toString(16)}\r\n${text}\r\n`;
}

/** Writes the next chunk; false once the stream has ended. */
function play(stream: Playing): boolean {
  if (stream.socket.destroyed) return false;
  if (stream.left === 0) {
    stream.socket.write(`${chunked(stream.script.closing)}0\r\n\r\n`, 'latin1');
    return false;
  }
  stream.left--;
  stream.socket.write(chunked(stream.script.chunk(mark(microsNow()))), 'latin1');
  return true;
}

function playEachTurn(stream: Playing): void {
  setImmediate(() => {
    if (play(stream)) playEachTurn(stream);
  });
}

/** A chain of 1 ms timers while anything plays: the finest that the loop gives, and nothing when idle. */
function tick(): void {
  const now = performance.now();
  for (const [everyMs, queue] of queues) {
    let played = 0;
    for (const stream of queue) {
      if (stream.due > now) break;
      played++;
    }
    for (const stream of queue.splice(0, played)) {
      if (!play(stream)) continue;
      stream.due += everyMs;
      queue.push(stream);
    }
    if (queue.length === 0) queues.delete(everyMs);
  }
  ticking = queues.size > 0;
  if (ticking) setTimeout(tick, 1);
}

function start(stream: Playing): void {
  stream.socket.write(
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\n' +
      chunked(stream.script.opening),
    'latin1',
  );
  if (stream.everyMs === 0) {
    playEachTurn(stream);
    return;
  }
  setImmediate(() => {
    if (!play(stream)) return;
    stream.due = performance.now() + stream.everyMs;
    const queue = queues.get(stream.everyMs);
    if (queue) queue.push(stream);
    else queues.set(stream.everyMs, [stream]);
    if (!ticking) setTimeout(tick, 1);
    ticking = true;
  });
}

function answer(socket: Socket, head: string, body: string): void {
  const format = formatOf(head.slice(0, head.indexOf('\r\n')));
  if (!format) {
    socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    return;
  }
  if (!/"stream": ?true/.test(body)) {
    socket.write(wholeAnswer(format), 'latin1');
    return;
  }
  const [, chunks = '50', everyMs = '100'] = /m-(\d+)-(\d+)/.exec(body) ?? [];
  const script = scriptFor(format, Number(chunks), /"include_usage": ?true/.test(body));
  start({ socket, script, everyMs: Number(everyMs), left: Number(chunks), due: 0 });
}

const server = createServer({ noDelay: true }, (socket) => {
  let held = '';
  socket.on('data', (bytes: Buffer) => {
    held += bytes.toString('latin1', 0, bytes.length);
    const headEnd = held.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = held.slice(0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) {
      socket.end('HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const end = headEnd + 4 + Number(length);
    if (held.length < end) return;
    const body = held.slice(headEnd + 4, end);
    held = held.slice(end);
    answer(socket, head, body);
  });
  socket.on('error', () => socket.destroy());
});
server.listen({ port, host: '127.0.0.1', backlog: 4096 });
process.on('disconnect', () => process.exit());
