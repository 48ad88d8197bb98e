// A crossing: a provider's answer in one format, decoded and written in the client's.

import type { AnswerContext, AnswerOut, Codec, Glimpse, Lane } from '../exchange/codec.ts';
import type { Part, UpstreamFailure } from '../exchange/part.ts';
import type { Usage } from '../exchange/usage.ts';

const unreadable: UpstreamFailure = {
  status: 502,
  message: 'The provider answered with something that is not JSON.',
  kind: 'unreadable',
};

/** What the meter learns from parts, added up. */
interface Tally {
  content: boolean;
  characters: number;
  finished: boolean;
  ends: boolean;
  usage?: Usage;
  model?: string;
  failure?: UpstreamFailure;
  /** The provider says itself that its answer failed; told at the end, behind the usage. */
  failed?: UpstreamFailure;
}

/** No client's format has a word for it: what failed is told as a failure, so that nobody takes it for an answer. */
function failedFinish(word: string | undefined): UpstreamFailure {
  const message = `The provider ended its answer with ${word ?? 'an error'}.`;
  return { status: 502, message, kind: 'server' };
}

function tally(parts: readonly Part[]): Tally {
  const sum: Tally = { content: false, characters: 0, finished: false, ends: false };
  for (const part of parts) {
    switch (part.type) {
      case 'start':
        if (part.model !== undefined) sum.model = part.model;
        continue;
      case 'usage':
        sum.usage = part.usage;
        continue;
      case 'error':
        sum.failure ??= part.failure;
        continue;
      case 'end':
        sum.ends = true;
        continue;
      case 'text-delta':
      case 'reasoning-delta':
      case 'refusal-delta':
      case 'tool-input-delta':
        sum.characters += part.text.length;
        break;
      case 'tool-input-start':
        sum.characters += part.name.length;
        break;
      case 'media':
        sum.characters += part.transcript?.length ?? 0;
        break;
      case 'finish':
        sum.finished = true;
        if (part.reason === 'error') sum.failed ??= failedFinish(part.raw);
        break;
      default:
        break;
    }
    sum.content = true;
  }
  return sum;
}

type Words = Extract<Part, { type: 'text-delta' | 'reasoning-delta' }>;

function isWords(part: Part): part is Words {
  return part.type === 'text-delta' || part.type === 'reasoning-delta';
}

/** Which answers of a stream are under way, and whether one of them is inside a call. */
class Choices {
  readonly #inside = new Map<number, 'text' | 'call' | 'finished'>();

  see(part: Part): void {
    if (!('choice' in part)) return;
    const call = part.type === 'tool-input-start' || part.type === 'tool-input-delta';
    this.#inside.set(part.choice, part.type === 'finish' ? 'finished' : call ? 'call' : 'text');
  }

  /** Undefined where none has begun, or one is inside a call: parts do not say where its arguments end, so that only what follows tells. */
  open(): number[] | undefined {
    const open = [...this.#inside].filter(([, inside]) => inside !== 'finished');
    const none = this.#inside.size === 0;
    return none || open.some(([, inside]) => inside === 'call') ? undefined : open.map(([choice]) => choice);
  }
}

/** A stream from `provider`'s format to `client`'s. */
export function crossStream(client: Codec, provider: Codec, context: AnswerContext): Lane {
  const decoder = provider.streamDecoder();
  const encoder = client.streamEncoder(context);
  let ended = false;
  let failed: UpstreamFailure | undefined;
  const choices = new Choices();

  /** What most events of a stream are: one piece of text. */
  const forwardWords = (part: Words): Glimpse => {
    choices.see(part);
    const out = encoder.push(part);
    return { content: true, characters: part.text.length, out: out === '' ? undefined : out };
  };

  const forward = (parts: readonly Part[]): Glimpse => {
    const first = parts[0];
    if (parts.length === 1 && first && isWords(first) && !ended) return forwardWords(first);
    const sum = tally(parts);
    failed ??= sum.failed;
    let out = '';
    for (const part of parts) {
      if (part.type === 'error') break;
      if (part.type === 'end' && failed) {
        sum.failure ??= failed;
        break;
      }
      if (ended || (part.type === 'finish' && part.reason === 'error')) continue;
      choices.see(part);
      out += encoder.push(part);
      if (part.type === 'end') {
        ended = true;
        out += encoder.end();
      }
    }
    return {
      content: sum.content,
      characters: sum.characters,
      out: out === '' ? undefined : out,
      ...(sum.usage && { usage: sum.usage }),
      ...(sum.ends && { ends: true }),
      ...(sum.finished && { finished: true }),
      ...(sum.failure && { failure: sum.failure }),
      ...(sum.model !== undefined && { model: sum.model }),
    };
  };

  /** The same parts that a provider's own limit would have given. */
  const finish = (usage: Usage): string | undefined => {
    const open = choices.open();
    if (ended || failed || open === undefined) return undefined;
    ended = true;
    let out = '';
    for (const choice of open) out += encoder.push({ type: 'finish', choice, reason: 'length' });
    out += encoder.push({ type: 'usage', usage }) + encoder.push({ type: 'end' });
    return out + encoder.end();
  };

  return {
    finish,
    push: (frame) => forward(decoder.push(frame)),
    end: () => ({ ...forward(decoder.end()), complete: ended }),
    fail: (refusal) => encoder.fail?.(refusal) ?? client.encodeStreamError(refusal, context),
    losses: () => encoder.losses?.() ?? [],
    heartbeat: () => (encoder.heartbeat ? encoder.heartbeat() : client.passStream(context).heartbeat()),
  };
}

/** A whole answer from `provider`'s format to `client`'s. */
export function crossAnswer(client: Codec, provider: Codec, raw: Buffer, context: AnswerContext): AnswerOut {
  let body: unknown;
  try {
    body = JSON.parse(raw.toString('utf8'));
  } catch {
    return { body: '', characters: 0, losses: [], failure: unreadable };
  }
  const parts = provider.decodeAnswer(body);
  const sum = tally(parts);
  const told = { ...(sum.usage && { usage: sum.usage }), ...(sum.model !== undefined && { model: sum.model }) };
  const failure = sum.failure ?? sum.failed;
  if (failure) return { body: '', characters: sum.characters, losses: [], failure, ...told };
  const encoded = client.encodeAnswer(parts, context);
  return {
    body: encoded.body,
    characters: sum.characters,
    losses: encoded.losses,
    ...told,
  };
}
