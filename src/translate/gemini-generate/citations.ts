// Grounding and citation metadata as citations, and back.

import type { Citation } from '../../exchange/prompt.ts';
import { type Fields, field, fieldsOf, isFields, listOf, numberOf, textOf } from './wire.ts';

const origin = 'gemini-generate';

/** `text` is the candidate's answer so far: Gemini counts bytes, a citation counts characters. */
export function decodeCitations(candidate: Fields, text: string): Citation[] {
  const grounding = field(candidate, 'groundingMetadata');
  const sources = fieldsOf(field(candidate, 'citationMetadata'));
  return [
    ...(isFields(grounding) ? groundingCitations(grounding, text) : []),
    ...listOf(field(sources, 'citationSources') ?? sources.citations).map((each): Citation => {
      const source = fieldsOf(each);
      return {
        origin,
        ...named(textOf(source.uri), textOf(source.title)),
        ...offsets(source, text),
        raw: { citationSource: source },
      };
    }),
  ];
}

function groundingCitations(grounding: Fields, text: string): Citation[] {
  const chunks = listOf(field(grounding, 'groundingChunks')).map(fieldsOf);
  const citations: Citation[] = [];
  const cited = new Set<number>();
  for (const each of listOf(field(grounding, 'groundingSupports'))) {
    const support = fieldsOf(each);
    const segment = fieldsOf(support.segment);
    const quote = textOf(segment.text);
    for (const index of listOf(field(support, 'groundingChunkIndices'))) {
      const number = numberOf(index);
      const chunk = number === undefined ? undefined : chunks[number];
      if (number === undefined || !chunk) continue;
      cited.add(number);
      citations.push({
        origin,
        ...source(chunk),
        ...(quote === undefined ? {} : { quote }),
        ...offsets(segment, text),
        raw: { chunk, segment },
      });
    }
  }
  chunks.forEach((chunk, index) => {
    if (!cited.has(index)) citations.push({ origin, ...source(chunk), raw: { chunk } });
  });
  return citations;
}

function source(chunk: Fields): { url?: string; title?: string } {
  const inner = fieldsOf(chunk.web ?? field(chunk, 'retrievedContext') ?? chunk.maps);
  return named(textOf(inner.uri), textOf(inner.title));
}

function named(url: string | undefined, title: string | undefined): { url?: string; title?: string } {
  return { ...(url === undefined ? {} : { url }), ...(title === undefined ? {} : { title }) };
}

function offsets(segment: Fields, text: string): { start?: number; end?: number } {
  const end = numberOf(field(segment, 'endIndex'));
  if (end === undefined) return {};
  const bytes = Buffer.from(text, 'utf8');
  const characters = (at: number): number => bytes.toString('utf8', 0, Math.max(0, at)).length;
  return { start: characters(numberOf(field(segment, 'startIndex')) ?? 0), end: characters(end) };
}

function page({ url, title }: Citation): Fields {
  return { ...(url === undefined ? {} : { uri: url }), ...(title === undefined ? {} : { title }) };
}

/** Citations of one candidate as its metadata fields; `text` is the whole answer. */
export function encodeCitations(citations: readonly Citation[], text: string): Record<string, unknown> {
  const chunks: unknown[] = [];
  const keys = new Map<string, number>();
  const supports: unknown[] = [];
  const sources: unknown[] = [];
  const bytes = (at: number): number => Buffer.byteLength(text.slice(0, at), 'utf8');
  for (const citation of citations) {
    const raw = citation.origin === origin ? fieldsOf(citation.raw) : {};
    if (isFields(raw.citationSource)) {
      sources.push(raw.citationSource);
      continue;
    }
    const chunk = raw.chunk ?? { web: page(citation) };
    const key = JSON.stringify(chunk);
    const index = keys.get(key) ?? chunks.push(chunk) - 1;
    keys.set(key, index);
    if (isFields(raw.segment)) supports.push({ segment: raw.segment, groundingChunkIndices: [index] });
    else if (citation.start !== undefined && citation.end !== undefined) {
      const segment = {
        startIndex: bytes(citation.start),
        endIndex: bytes(citation.end),
        text: text.slice(citation.start, citation.end),
      };
      supports.push({ segment, groundingChunkIndices: [index] });
    }
  }
  return {
    ...(sources.length > 0 ? { citationMetadata: { citationSources: sources } } : {}),
    ...(chunks.length > 0 ? { groundingMetadata: { groundingChunks: chunks, groundingSupports: supports } } : {}),
  };
}
