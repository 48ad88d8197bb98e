// CPU per streamed chunk: forwarded in its own format, and translated in both directions.

import { wireRequest } from './asks.ts';
import type { Outcome } from './plan.ts';
import type { Row } from './report.ts';
import {
  type Figure,
  figure,
  inTurn,
  type Role,
  row,
  type Session,
  startLoader,
  type Variant,
  withSubjects,
} from './rounds.ts';
import type { WireFormat } from './subjects.ts';

const [openai, anthropic]: [WireFormat, WireFormat] = ['openai-chat', 'anthropic-messages'];
const users = 50;
const chunks = 200;
const everyMs = 5;

/**
 * 10,000 chunks a second in 50 streams: dense enough to measure, thin enough that each chunk is read alone. A stream's own
 * cost (its request, its settlement) is in the figure: a 200th of it a chunk.
 */
export function measureChunks(session: Session): Promise<Row[]> {
  return withSubjects(session, ['gateway', 'relay', 'nginx'], async (subjects) => {
    const loader = startLoader(session);
    const streams = (name: string, role: Role, client: WireFormat, provider: WireFormat): Variant => ({
      name,
      role,
      plan: (round) => ({
        kind: 'streams',
        port: subjects(role).port,
        request: wireRequest(subjects(role), { client, provider, stream: { chunks, everyMs } }),
        watch: subjects(role).pid,
        users,
        streamsPerUser: round === 0 && session.shrink === 1 ? 3 : 2,
        chunksPerStream: chunks,
        rampMs: everyMs,
        // The first second of the first round is warm-up.
        window: [round === 0 && session.shrink === 1 ? 1000 : 0, 60_000],
        seed: session.seed + round,
        deadlineMs: 20_000,
      }),
    });
    const translates = session.judged === 'gateway';
    const outcomes = await inTurn(session, loader, 3, [
      streams('openai', 'gateway', openai, openai),
      streams('relay', 'relay', openai, openai),
      streams('nginx', 'nginx', openai, openai),
      streams('anthropic', 'gateway', anthropic, anthropic),
      streams('relay-anthropic', 'relay', anthropic, anthropic),
      ...(translates
        ? [streams('to-openai', 'gateway', anthropic, openai), streams('to-anthropic', 'gateway', openai, anthropic)]
        : []),
    ]);
    await loader.stop();
    const of = (name: string): Figure => figure(outcomes.get(name), (outcome) => outcome.cpuMicros / outcome.chunks);
    const alone = (name: string): string =>
      `${figure(outcomes.get(name), (outcome: Outcome) => outcome.reads / outcome.chunks).value.toFixed(2)} reads a chunk`;
    const [relay, nginx] = [of('relay'), of('nginx')];
    const beside = `relay ${relay.value.toFixed(1)} (${relay.apart}), nginx ${nginx.value.toFixed(1)} (${nginx.apart})`;
    const same = { bound: relay.value + 4, words: 'relay + 4' };
    const otherRelay = of('relay-anthropic');
    const otherSame = { bound: otherRelay.value + 4, words: 'relay + 4' };
    const translated = { bound: 3 * nginx.value, words: '3 × nginx' };
    const rows = [
      row('CPU per chunk, OpenAI → OpenAI', 'µs', of('openai'), `${alone('openai')}; ${beside}`, same),
      row(
        'CPU per chunk, Anthropic → Anthropic',
        'µs',
        of('anthropic'),
        `relay ${otherRelay.value.toFixed(1)}`,
        otherSame,
      ),
    ];
    if (!translates) return rows;
    return [
      ...rows,
      row('CPU per chunk, Anthropic client → OpenAI provider', 'µs', of('to-openai'), alone('to-openai'), translated),
      row(
        'CPU per chunk, OpenAI client → Anthropic provider',
        'µs',
        of('to-anthropic'),
        alone('to-anthropic'),
        translated,
      ),
    ];
  });
}
