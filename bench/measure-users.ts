// Many streams at once: 1,000 and 2,000 users of 50 tokens, one every 100 ms. Memory, CPU, time to first token, delay of each chunk.

import { wireRequest } from './asks.ts';
import { median, type Outcome } from './plan.ts';
import { peakMegabytes } from './process.ts';
import type { Row } from './report.ts';
import { type Figure, figure, type Role, row, type Session, startLoader, trusted } from './rounds.ts';
import { startSubject } from './subjects.ts';

interface Crowd extends Outcome {
  readonly peakMegabytes: number;
  /** Of a machine with two cores. */
  readonly cpuPercent: number;
}

const chunks = 50;
const everyMs = 100;

/**
 * The users start spread over one stream's length and run three each, so that all of them stream between the fifth and the
 * fifteenth second; by the tenth the code is optimised, and the last five seconds are the window of the CPU. Times are those
 * of third streams, "once warm". A fresh process each, for its VmHWM.
 */
async function crowd(session: Session, role: Role, users: number): Promise<Crowd> {
  const subject = await startSubject(role === 'gateway' ? session.judged : role, session.bench);
  const loader = startLoader(session);
  try {
    const perStreamMs = (chunks * everyMs) / Math.min(session.shrink, 5);
    const count = Math.round(perStreamMs / everyMs);
    const outcome = await loader.run({
      kind: 'streams',
      port: subject.port,
      request: wireRequest(subject, {
        client: 'openai-chat',
        provider: 'openai-chat',
        stream: { chunks: count, everyMs },
      }),
      watch: subject.pid,
      users,
      streamsPerUser: 3,
      chunksPerStream: count,
      rampMs: perStreamMs,
      window: [2 * perStreamMs, 3 * perStreamMs],
      seed: session.seed,
      deadlineMs: 5 * perStreamMs + 10_000,
    });
    const cpuPercent = (outcome.cpuMicros / 1000 / outcome.windowMs / 2) * 100;
    return { ...outcome, cpuPercent, peakMegabytes: peakMegabytes(subject.pid) };
  } finally {
    await loader.stop();
    await subject.stop();
  }
}

async function crowds(session: Session, users: number, order: readonly Role[]): Promise<Map<Role, Crowd[]>> {
  const outcomes = new Map<Role, Crowd[]>();
  for (const role of order) {
    const outcome = trusted(role, await crowd(session, role, users));
    outcomes.set(role, [...(outcomes.get(role) ?? []), outcome]);
  }
  return outcomes;
}

type Read = (outcome: Crowd) => number;
const firstChunkP50: Read = (outcome) => outcome.firstChunk?.p50 ?? Number.NaN;
const firstChunkP99: Read = (outcome) => outcome.firstChunk?.p99 ?? Number.NaN;
const delayP99: Read = (outcome) => outcome.chunkDelay?.p99 ?? Number.NaN;

function figures(outcomes: Map<Role, Crowd[]>): {
  own: (role: Role, read: Read) => Figure;
  added: (role: Role, read: Read) => Figure;
} {
  const own = (role: Role, read: Read): Figure => {
    const found = outcomes.get(role) ?? [];
    return figure(found, (_, round) => read(found[round] as Crowd));
  };
  const added = (role: Role, read: Read): Figure => {
    const direct = median((outcomes.get('direct') ?? []).map(read));
    const found = outcomes.get(role) ?? [];
    return figure(found, (_, round) => read(found[round] as Crowd) - direct);
  };
  return { own, added };
}

export async function measureUsers(session: Session): Promise<Row[]> {
  const once: readonly Role[] = ['direct', 'gateway', 'relay', 'nginx'];
  const { own, added } = figures(
    await crowds(session, 1000, session.shrink > 1 ? once : [...once, 'gateway', 'direct', 'gateway']),
  );
  const beside = (kind: typeof own, read: Read, places: number): string =>
    `relay ${kind('relay', read).value.toFixed(places)}, nginx ${kind('nginx', read).value.toFixed(places)}`;
  const cpu: Read = (outcome) => outcome.cpuPercent;
  const memory: Read = (outcome) => outcome.peakMegabytes;
  return [
    row('1,000 users: CPU of two cores', '%', own('gateway', cpu), beside(own, cpu, 1), { bound: 17, absolute: true }),
    row('1,000 users: peak memory', 'MB', own('gateway', memory), beside(own, memory, 0), { bound: 240 }),
    row(
      '1,000 users: added time to first token, p50',
      'ms',
      added('gateway', firstChunkP50),
      beside(added, firstChunkP50, 2),
    ),
    row(
      '1,000 users: added time to first token, p99',
      'ms',
      added('gateway', firstChunkP99),
      beside(added, firstChunkP99, 2),
      {
        bound: 20,
        absolute: true,
      },
    ),
    row('1,000 users: added delay of a chunk, p99', 'ms', added('gateway', delayP99), beside(added, delayP99, 2)),
  ];
}

export async function measureMoreUsers(session: Session): Promise<Row[]> {
  const { own, added } = figures(await crowds(session, 2000, ['direct', 'gateway', 'relay']));
  const relay = (kind: typeof own, read: Read, places: number): string =>
    `relay ${kind('relay', read).value.toFixed(places)}`;
  const memory: Read = (outcome) => outcome.peakMegabytes;
  const cpu: Read = (outcome) => outcome.cpuPercent;
  return [
    row('2,000 users: CPU of two cores', '%', own('gateway', cpu), relay(own, cpu, 1)),
    row('2,000 users: peak memory', 'MB', own('gateway', memory), relay(own, memory, 0), { bound: 400 }),
    row(
      '2,000 users: added time to first token, p99',
      'ms',
      added('gateway', firstChunkP99),
      relay(added, firstChunkP99, 2),
      {
        bound: 15,
        absolute: true,
      },
    ),
    row('2,000 users: added delay of a chunk, p99', 'ms', added('gateway', delayP99), relay(added, delayP99, 2), {
      bound: 15,
      absolute: true,
    }),
  ];
}
