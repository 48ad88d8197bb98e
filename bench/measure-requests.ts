// Whole answers: CPU a request under a closed loop, and what a request waits longer at 500 a second than without a gateway.

import { wireRequest } from './asks.ts';
import type { Outcome, Plan } from './plan.ts';
import type { Row } from './report.ts';
import {
  type Figure,
  figure,
  inTurn,
  type Role,
  row,
  type Session,
  startLoader,
  trusted,
  type Variant,
  withSubjects,
} from './rounds.ts';
import type { Subject } from './subjects.ts';

/** On the machine on which the goals were set, whose runs lay between 15 and 17. */
const nginxMicrosThere = 16;

const cpuPerRequest = (outcome: Outcome): number => outcome.cpuMicros / outcome.done;

/** The relay's cost nearly halves over its first 30,000 requests, while its code is being optimised. */
function warmthOf({ shrink }: Session): number {
  return Math.round(30_000 / shrink);
}

function closedPlan(subject: Subject, warmup: number, count: number): Plan {
  return {
    kind: 'closed',
    port: subject.port,
    request: wireRequest(subject, { client: 'openai-chat', provider: 'openai-chat' }),
    watch: subject.pid,
    connections: 32,
    warmup,
    count,
    deadlineMs: 60_000,
  };
}

export function measureCpu(session: Session): Promise<Row[]> {
  return withSubjects(session, ['gateway', 'relay', 'nginx'], async (subjects) => {
    const loader = startLoader(session);
    const count = Math.round(12_000 / session.shrink);
    const closed = (role: Role): Variant => ({
      name: role,
      role,
      plan: (round) => closedPlan(subjects(role), round === 0 ? warmthOf(session) : 500, count),
    });
    const outcomes = await inTurn(session, loader, 5, [closed('gateway'), closed('relay'), closed('nginx')]);
    await loader.stop();
    const of = (name: string): Figure => figure(outcomes.get(name), cpuPerRequest);
    const [gateway, relay, nginx] = [of('gateway'), of('relay'), of('nginx')];
    const beside = `relay ${relay.value.toFixed(1)} (${relay.apart}), nginx ${nginx.value.toFixed(1)} (${nginx.apart})`;
    return [
      row('CPU per request, of the relay', 'µs', gateway, beside, { bound: 1.5 * relay.value, words: '1.5 × relay' }),
      row('CPU per request, of nginx', 'µs', gateway, '', { bound: 4 * nginx.value, words: '4 × nginx' }),
      {
        ...row('nginx itself, CPU per request', 'µs', nginx, `${nginxMicrosThere} where the goals were set`),
        slower: nginx.value / nginxMicrosThere,
      },
    ];
  });
}

export function measureLatency(session: Session): Promise<Row[]> {
  const roles: Role[] = ['direct', 'gateway', 'relay', 'nginx'];
  return withSubjects(session, roles, async (subjects) => {
    const loader = startLoader(session);
    const count = Math.round(1_200 / session.shrink);
    const open = (role: Role): Variant => ({
      name: role,
      role,
      plan: () => ({
        kind: 'open',
        port: subjects(role).port,
        request: wireRequest(subjects(role), { client: 'openai-chat', provider: 'openai-chat' }),
        perSecond: 500,
        warmup: 100,
        count,
        deadlineMs: 30_000,
      }),
    });
    for (const role of roles) trusted(role, await loader.run(closedPlan(subjects(role), 0, warmthOf(session))));
    const outcomes = await inTurn(session, loader, 7, roles.map(open));
    await loader.stop();
    const added = (role: Role, read: (outcome: Outcome) => number): Figure => {
      const direct = (outcomes.get('direct') ?? []).map(read);
      return figure(outcomes.get(role), (outcome, round) => read(outcome) - (direct[round] ?? Number.NaN));
    };
    const rowFor = (name: 'p50' | 'p99', bound: number): Row => {
      const read = (outcome: Outcome): number => outcome.latency?.[name] ?? Number.NaN;
      const direct = figure(outcomes.get('direct'), read).value.toFixed(2);
      const beside = `direct ${direct}, relay + ${added('relay', read).value.toFixed(2)}, nginx + ${added('nginx', read).value.toFixed(2)}`;
      return row(`added latency at 500 requests/s, ${name}`, 'ms', added('gateway', read), beside, {
        bound,
        absolute: true,
      });
    };
    return [rowFor('p50', 0.3), rowFor('p99', 1)];
  });
}
