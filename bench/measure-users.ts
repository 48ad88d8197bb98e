// Many streams at once: 1,000 and 2,000 users of 50 tokens, one every 100 ms. Memory, CPU, time to first token, delay of each chunk.

import { wireRequest } from './asks.ts';
import { median, type Outcome } from './plan.ts';
import { peakMegabytes } from './process.ts';
import { digits, type Row } from './report.ts';
import { type Figure, figure, type Role, row, type Session, startLoader, trusted } from './rounds.ts';
import { startSubject } from './subjects.ts';

interface Crowd extends Outcome {
  readonly peakMegabytes: number;
  /** Of a machine with two cores. */
  readonly cpuPercent: number;
}

const chunks = 50;
const tokenMs = 100;

/** The compiler's threads are at rest by then: at ten seconds they still take an eighth of a core, which shows in every tail. */
const warmMs = 30_000;

/**
 * The users start spread over one stream's length and run streams one after another, so that from its end on all of them
 * stream. The last streams are those that begin when all is warm: theirs are the times, "once warm", and while all of them
 * run is the window of the CPU. A fresh process each, for its VmHWM.
 */
async function crowd(session: Session, role: Role, users: number, everyMs: number): Promise<Crowd> {
  const subject = await startSubject(role === 'gateway' ? session.judged : role, session.bench);
  const loader = startLoader(session);
  try {
    const perStreamMs = (chunks * everyMs) / Math.min(session.shrink, 5);
    const count = Math.round(perStreamMs / everyMs);
    const before = Math.ceil(warmMs / session.shrink / perStreamMs);
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
      streamsPerUser: before + 1,
      chunksPerStream: count,
      rampMs: perStreamMs,
      window: [before * perStreamMs, (before + 1) * perStreamMs],
      seed: session.seed,
      deadlineMs: (before + 3) * perStreamMs + 10_000,
    });
    const cpuPercent = (outcome.cpuMicros / 1000 / outcome.windowMs / 2) * 100;
    return { ...outcome, cpuPercent, peakMegabytes: peakMegabytes(subject.pid) };
  } finally {
    await loader.stop();
    await subject.stop();
  }
}

async function crowds(
  session: Session,
  users: number,
  order: readonly Role[],
  everyMs = tokenMs,
): Promise<Map<Role, Crowd[]>> {
  const outcomes = new Map<Role, Crowd[]>();
  for (const role of order) {
    const outcome = trusted(role, await crowd(session, role, users, everyMs));
    outcomes.set(role, [...(outcomes.get(role) ?? []), outcome]);
  }
  return outcomes;
}

const besideRelay: readonly Role[] = ['direct', 'gateway', 'relay'];

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

/**
 * A goal of so many tokens in so much time, at the speed of the machine on which it was set: here each takes as many times
 * longer as nginx does for a request. A queue on cores that are nearly full grows out of all proportion to their speed, so
 * that no division tells it.
 */
async function paced(session: Session, users: number): Promise<Paced | undefined> {
  const { slower } = session;
  if (slower === undefined) return undefined;
  const order = session.shrink === 1 ? [...besideRelay, 'gateway' as const, 'gateway' as const] : besideRelay;
  const { own, added } = figures(await crowds(session, users, order, Math.round(tokenMs * Math.max(1, slower))));
  return {
    share: (role, read) => own(role, read).value,
    time: (role, read) => added(role, read).value / slower,
  };
}

interface Paced {
  share(role: Role, read: Read): number;
  /** In ms of the goals' machine. */
  time(role: Role, read: Read): number;
}

/** A row judged by its paced figure, with what the relay did there beside it. */
function at(plain: Row, there: number | undefined, relay: number | undefined): Row {
  if (there === undefined || relay === undefined) return plain;
  const notes = `${plain.notes}; at its speed ${digits(there)} ${plain.unit}, relay ${digits(relay)}`;
  return { ...plain, there, notes };
}

const cpu: Read = (outcome) => outcome.cpuPercent;
const memory: Read = (outcome) => outcome.peakMegabytes;

export async function measureUsers(session: Session): Promise<Row[]> {
  const once: readonly Role[] = [...besideRelay, 'nginx'];
  const whole = session.shrink === 1;
  const { own, added } = figures(await crowds(session, 1000, whole ? [...once, 'gateway'] : once));
  const there = await paced(session, 1000);
  const beside = (kind: typeof own, read: Read, places: number): string =>
    `relay ${kind('relay', read).value.toFixed(places)}, nginx ${kind('nginx', read).value.toFixed(places)}`;
  const share = row('1,000 users: CPU of two cores', '%', own('gateway', cpu), beside(own, cpu, 1), {
    bound: 17,
    absolute: true,
  });
  const time = (what: string, read: Read, goal?: { bound: number; absolute: true }): Row => {
    const plain = row(`1,000 users: ${what}`, 'ms', added('gateway', read), beside(added, read, 2), goal);
    return at(plain, there?.time('gateway', read), there?.time('relay', read));
  };
  return [
    at(share, there?.share('gateway', cpu), there?.share('relay', cpu)),
    row('1,000 users: peak memory', 'MB', own('gateway', memory), beside(own, memory, 0), { bound: 240 }),
    time('added time to first token, p50', firstChunkP50),
    time('added time to first token, p99', firstChunkP99, { bound: 20, absolute: true }),
    time('added delay of a chunk, p99', delayP99),
  ];
}

export async function measureMoreUsers(session: Session): Promise<Row[]> {
  const { own, added } = figures(await crowds(session, 2000, besideRelay));
  const there = await paced(session, 2000);
  const relay = (kind: typeof own, read: Read, places: number): string =>
    `relay ${kind('relay', read).value.toFixed(places)}`;
  const share = row('2,000 users: CPU of two cores', '%', own('gateway', cpu), relay(own, cpu, 1));
  const time = (what: string, read: Read): Row => {
    const goal = { bound: 15, absolute: true } as const;
    const plain = row(`2,000 users: ${what}`, 'ms', added('gateway', read), relay(added, read, 2), goal);
    return at(plain, there?.time('gateway', read), there?.time('relay', read));
  };
  return [
    at(share, there?.share('gateway', cpu), there?.share('relay', cpu)),
    row('2,000 users: peak memory', 'MB', own('gateway', memory), relay(own, memory, 0), { bound: 400 }),
    time('added time to first token, p99', firstChunkP99),
    time('added delay of a chunk, p99', delayP99),
  ];
}
