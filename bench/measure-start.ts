// From nothing to the first answer with an empty data folder, and the memory of a gateway that has just begun.

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './plan.ts';
import { listening, peakMegabytes } from './process.ts';
import type { Row } from './report.ts';
import type { Session } from './rounds.ts';
import { launchGateway } from './subjects.ts';

interface Start {
  readonly listeningMs: number;
  readonly answerMs: number;
  readonly megabytes: number;
}

async function start(session: Session): Promise<Start> {
  const from = performance.now();
  const { server, port, keyFile } = await launchGateway(session.bench);
  try {
    await listening(server, port);
    const listeningMs = performance.now() - from;
    let status = 0;
    while (status !== 200) {
      status = await ask(port, keyFile);
      if (performance.now() - from > 15_000)
        throw new Error(`no answer after a start, last status ${status}:\n${server.output()}`);
      if (status !== 200) await sleep(2);
    }
    const answerMs = performance.now() - from;
    await sleep(1000);
    return { listeningMs, answerMs, megabytes: peakMegabytes(server.pid) };
  } finally {
    await server.stop();
  }
}

/** One request as a client would send it; 0 where there is no answer or no key file yet. */
function ask(port: number, keyFile: string): Promise<number> {
  let key: string;
  try {
    key = readFileSync(keyFile, 'utf8').trim();
  } catch {
    return Promise.resolve(0);
  }
  const body = JSON.stringify({ model: 'bench/m', messages: [{ role: 'user', content: 'Are you there?' }] });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': body.length };
  return new Promise((resolve) => {
    const asking = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: '/v1/chat/completions',
      headers,
      agent: false,
    });
    asking.once('response', (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', () => resolve(0));
    });
    asking.once('error', () => resolve(0));
    asking.end(body);
  });
}

/** Only the gateway itself has a start worth the name: nothing to measure while another stands for it. */
export async function measureStart(session: Session): Promise<Row[]> {
  if (session.judged !== 'gateway') {
    session.say('start: left out, the relay stands for the gateway');
    return [];
  }
  const starts: Start[] = [];
  for (let round = 0; round < (session.shrink > 1 ? 2 : 5); round++) starts.push(await start(session));
  const answers = starts.map((one) => one.answerMs);
  const beside = `listening after ${median(starts.map((one) => one.listeningMs)).toFixed(0)}; slowest of ${starts.length} starts ${Math.max(...answers).toFixed(0)}`;
  return [
    { what: 'start to first answer', unit: 'ms', value: median(answers), bound: 400, absolute: true, notes: beside },
    {
      what: 'boot memory (peak)',
      unit: 'MB',
      value: median(starts.map((one) => one.megabytes)),
      bound: 120,
      notes: 'one second after the first answer',
    },
  ];
}
