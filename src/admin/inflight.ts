// What is in flight, and the kill: a request, everything of a run, everything of a key.

import { z } from 'zod';
import { Refusal } from '../exchange/refusal.ts';
import type { Killable, Running } from '../inflight.ts';
import type { AdminParts } from './parts.ts';
import { ok, type Route } from './route.ts';
import { instant, usd, wholeNumber } from './show.ts';

const name = z.string().min(1).max(256);
const kill = z
  .union([z.strictObject({ request: name }), z.strictObject({ run: name }), z.strictObject({ key: name })])
  .describe('One of request (an id), run (as X-Tollgate-Run has it) and key (an id).');

const killAnswer =
  '{ what, id, found, ended_here, others_told, elsewhere }; found: what ran on this instance, all its workers together; elsewhere: others may run more';

export const inflightRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/admin/inflight',
    access: 'admin',
    summary: 'What is in flight on this instance, all its workers together, longest running first',
    query: { limit: 'At most so many, 1 to 20,000; 1,000', key: 'Only this key', run: 'Only this run' },
    answers:
      '{ data: [{ id, phase, key, run, model, cost, held, … }], total, cost, held }; with workers also worker on each, and workers, silent_workers',
    handle: async (ask, parts) => {
      const limit = wholeNumber(ask.query, 'limit', 20_000) ?? 1_000;
      const key = ask.query.get('key');
      const run = ask.query.get('run');
      const { list, workers } = await everywhere(parts);
      const all = list.filter((each) => (key === null || each.keyId === key) && (run === null || each.run === run));
      const now = parts.clock.now();
      return ok({
        data: all.slice(0, limit).map((each) => shown(each, now)),
        total: all.length,
        cost: usd(sum(all, 'cost')),
        held: usd(sum(all, 'held')),
        ...workers,
      });
    },
  },
  {
    method: 'DELETE',
    path: '/admin/inflight/{id}',
    access: 'admin',
    summary: 'Ends a request, whatever it is at, on whichever instance or worker it runs',
    answers: killAnswer,
    handle: (ask, parts) => ended(parts, 'request', ask.params.id ?? ''),
  },
  {
    method: 'POST',
    path: '/admin/kill',
    access: 'admin',
    summary: 'Ends a request, or everything of a run or a key, on every instance; it keeps nobody from coming again',
    body: kill,
    status: 200,
    answers: killAnswer,
    handle: (ask, parts) => {
      const [[what, id] = []] = Object.entries(ask.body as Partial<Record<Killable, string>>);
      if (what === undefined || id === undefined) throw new Refusal('invalid_request', 'Name a request, run or key.');
      return ended(parts, what as Killable, id);
    },
  },
];

/** Of this process alone, or of all that serve the port with it. */
async function everywhere({ inflight, workers }: AdminParts) {
  const own = inflight.list();
  if (!workers) return { list: own };
  const { replies, silent } = await workers.gather('inflight');
  const list: (Running & { worker?: number })[] = own.map((each) => ({ ...each, worker: workers.number }));
  for (const { worker, answer } of replies)
    for (const each of answer as readonly Running[]) list.push({ ...each, worker });
  list.sort((one, other) => one.startedAt - other.startedAt);
  return { list, workers: { workers: workers.count, silent_workers: silent } };
}

const fieldOf: Readonly<Record<Killable, keyof Running>> = { request: 'id', run: 'run', key: 'keyId' };

async function ended(parts: AdminParts, what: Killable, id: string) {
  // Counted at the moment of the kill, which waits for no worker that is slow to answer.
  const counting = everywhere(parts);
  const { here, told } = await parts.inflight.kill(what, id);
  const { list, workers } = await counting;
  const found = list.filter((each) => each[fieldOf[what]] === id).length;
  parts.log.info('killed', { what, id, found, ended_here: here, others_told: told });
  const elsewhere = parts.inflight.elsewhere || (workers?.silent_workers.length ?? 0) > 0;
  return ok({ what, id, found: Math.max(found, here), ended_here: here, others_told: told, elsewhere });
}

function sum(all: readonly Running[], what: 'cost' | 'held'): number {
  return all.reduce((total, each) => total + each[what], 0);
}

function shown(each: Running & { worker?: number }, now: number): Record<string, unknown> {
  return {
    id: each.id,
    ...(each.worker === undefined ? {} : { worker: each.worker }),
    phase: each.phase,
    key: each.keyId,
    key_name: each.keyName,
    run: each.run === '' ? null : each.run,
    asked: each.asked,
    provider: each.provider === '' ? null : each.provider,
    model: each.model === '' ? null : each.model,
    stream: each.stream,
    started_at: instant(each.startedAt),
    seconds: Math.max(0, Math.round((now - each.startedAt) / 100) / 10),
    attempts: each.attempts,
    output_characters: each.characters,
    cost: usd(each.cost),
    cost_nano_usd: each.cost,
    held: usd(each.held),
    held_nano_usd: each.held,
  };
}
