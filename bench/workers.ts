// What a second worker gains on this machine: requests a second and their latency, with one process and with two.

import { cpus } from 'node:os';
import { startGateway } from '../test/gateway.ts';
import { configFor, startUpstream } from '../test/lasting/upstream.ts';
import { runClosed } from './load-requests.ts';

const connections = 32;
const count = 4_000;

async function measure(workers: number): Promise<string> {
  const upstream = await startUpstream({ name: 'up' });
  const gateway = await startGateway({ config: configFor(upstream, { workers }) });
  try {
    const body = JSON.stringify({ model: 'up/fast', messages: [{ role: 'user', content: 'Hello' }] });
    const { port } = new URL(gateway.url);
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${gateway.key}\r\n`;
    const request = `${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const plan = { kind: 'closed', port: Number(port), request, deadlineMs: 40_000, connections, warmup: 500 } as const;
    const { done, errors, windowMs, latency } = await runClosed({ ...plan, count });
    const rate = ((done / windowMs) * 1000).toFixed(0);
    const failed = Object.keys(errors).length > 0 ? `, errors ${JSON.stringify(errors)}` : '';
    return `${rate} requests/s, p50 ${latency?.p50.toFixed(1)} ms, p99 ${latency?.p99.toFixed(1)} ms${failed}`;
  } finally {
    await gateway.close();
    await upstream.close();
  }
}

console.log(`${cpus().length} cores, of which load and provider take theirs; ${connections} connections`);
for (const workers of [1, 2]) console.log(`workers: ${workers}   ${await measure(workers)}`);
