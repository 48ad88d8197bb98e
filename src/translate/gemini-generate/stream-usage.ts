// What a passing stream has told so far, its usage above all: read as seldom as the meter can bear.

import type { Glimpse } from '../../exchange/codec.ts';
import type { Usage } from '../../exchange/usage.ts';
import type { Places, Shape } from './shape.ts';
import { decodeUsage, mergeMetadata, withSearches } from './usage.ts';
import { type Fields, parsed } from './wire.ts';

/** Frames between two readings of a usage that grows. */
const readEvery = 64;

export interface State {
  model: string | undefined;
  /** The answer's id, as its first frame has it. */
  responseId: string | undefined;
  /** A call whose arguments come in pieces has begun and not ended. */
  calling: boolean;
  metadata: Fields;
  usage: Usage | undefined;
  /** The usage of the last plain frame as it was written. */
  counted: string;
  /** A usage that is not read yet, as it was written. */
  unread: string;
  /** Frames since a usage was read. */
  unreadFrames: number;
  shape: Shape | undefined;
  webSearches: number;
  maps: number;
  content: boolean;
  failed: boolean;
  /** Candidates seen, and whether each has named its reason. */
  readonly finished: Map<number, boolean>;
}

export function createState(): State {
  return {
    model: undefined,
    responseId: undefined,
    calling: false,
    metadata: {},
    usage: undefined,
    counted: '',
    unread: '',
    unreadFrames: 0,
    shape: undefined,
    webSearches: 0,
    maps: 0,
    content: false,
    failed: false,
    finished: new Map(),
  };
}

/**
 * The usage of a frame whose text counts for it meanwhile: reading it takes 2 µs, so that few are read,
 * and the last one at the stream's end. A stream that is cut between is charged by its text where that is more.
 */
export function laterUsage(
  latin: string,
  { textFrom, textTo, usageFrom, usageTo }: Places,
  state: State,
): Pick<Glimpse, 'usage'> | undefined {
  if (usageFrom === usageTo) return undefined;
  state.unread = latin.slice(usageFrom, usageTo);
  // Thoughts that are not shown grow in the usage alone.
  if (++state.unreadFrames < readEvery && textTo > textFrom) return undefined;
  const usage = readUnread(state);
  return usage && { usage };
}

export function readUnread(state: State): Usage | undefined {
  const text = state.unread;
  state.unread = '';
  state.unreadFrames = 0;
  // Many models repeat the prompt's count until the end.
  if (text === '' || text === state.counted) return undefined;
  state.counted = text;
  const metadata = mergeMetadata(state.metadata, parsed(Buffer.from(text, 'latin1').toString('utf8')));
  if (metadata === state.metadata) return undefined;
  state.metadata = metadata;
  state.usage = withSearches(decodeUsage(metadata), state.webSearches, state.maps);
  return state.usage;
}
