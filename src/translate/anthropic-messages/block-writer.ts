// Parts as a sequence of content blocks, one open at a time, whether they end in a stream or in a whole answer.

import type { Part } from '../../exchange/part.ts';
import type { Citation } from '../../exchange/prompt.ts';
import { isObject, type Json, parse } from '../json.ts';
import type { Losses } from '../losses.ts';
import { own, tag, unsigned } from './signature.ts';

export interface BlockSink {
  open(block: Json): void;
  /** A piece of the words of the open block, whose kind they are: what most deltas are. */
  words(type: 'text_delta' | 'thinking_delta', field: 'text' | 'thinking', words: string): void;
  delta(delta: Json): void;
  close(): void;
}

type ToolStart = Extract<Part, { type: 'tool-input-start' }>;

interface Tool {
  readonly start: ToolStart;
  /** Input that came; kept while the call is open, to see when its JSON is whole. */
  readonly pieces: string[];
}

export class BlockWriter {
  /** Nothing was written so far. */
  empty = true;
  calledTool = false;
  /** What a refusal said: no block of this format says it, its stop reason does. */
  refusal = '';
  readonly #sink: BlockSink;
  readonly #losses: Losses;
  readonly #waiting: Tool[] = [];
  #current: 'none' | 'text' | 'thinking' | 'tool' = 'none';
  #cited = false;
  #proven = false;
  #tool: Tool | undefined;

  constructor(sink: BlockSink, losses: Losses) {
    this.#sink = sink;
    this.#losses = losses;
  }

  push(part: Part): void {
    if ('choice' in part && part.choice !== 0) return;
    switch (part.type) {
      case 'text-delta':
        this.#text(part.text);
        return;
      case 'text-signature':
        this.#whole({ type: 'redacted_thinking', data: tag(part.signature, 'text') });
        return;
      case 'reasoning-delta':
      case 'reasoning-signature':
        this.#reasoning(part);
        return;
      case 'tool-input-start':
        this.#startTool(part);
        return;
      case 'tool-input-delta':
        this.#input(part.index, part.text);
        return;
      case 'citation':
        this.#citation(part.citation);
        return;
      case 'refusal-delta':
        this.refusal += part.text;
        return;
      case 'media':
        this.#losses.push({ field: part.block.type, how: 'dropped', note: 'answers of this format are text' });
        return;
      case 'opaque':
        this.#opaque(part);
    }
  }

  /** Closes what is open. */
  finish(): void {
    this.#close();
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#openTool(next);
      this.#close();
    }
  }

  #open(kind: 'text' | 'thinking', block: Json): void {
    this.finish();
    this.#current = kind;
    this.#cited = false;
    this.#proven = false;
    this.empty = false;
    this.#sink.open(block);
  }

  #whole(block: Json): void {
    this.finish();
    this.empty = false;
    this.#sink.open(block);
    this.#sink.close();
  }

  #close(): void {
    if (this.#current === 'none') return;
    if (this.#current === 'thinking' && !this.#proven) {
      this.#sink.delta({ type: 'signature_delta', signature: unsigned });
    }
    if (this.#tool?.start.custom) this.#sink.delta({ type: 'input_json_delta', partial_json: '"}' });
    this.#sink.close();
    this.#current = 'none';
    this.#tool = undefined;
  }

  #text(text: string): void {
    if (text === '') return;
    if (this.#current !== 'text' || this.#cited) this.#open('text', { type: 'text', text: '' });
    this.#sink.words('text_delta', 'text', text);
  }

  #reasoning(part: Extract<Part, { type: 'reasoning-delta' | 'reasoning-signature' }>): void {
    if (part.type === 'reasoning-signature' && part.redacted) {
      this.#whole({ type: 'redacted_thinking', data: tag(part.signature) });
      return;
    }
    if (this.#current !== 'thinking') this.#open('thinking', { type: 'thinking', thinking: '', signature: '' });
    if (part.type === 'reasoning-delta') {
      this.#sink.words('thinking_delta', 'thinking', part.text);
      return;
    }
    this.#sink.delta({ type: 'signature_delta', signature: tag(part.signature) });
    this.#proven = true;
    this.#close();
  }

  /** Providers may write several calls at once; clients of this format read one after the other. */
  #startTool(start: ToolStart): void {
    this.calledTool = true;
    const next: Tool = { start, pieces: [] };
    if (this.#tool && (this.#waiting.length > 0 || !isWhole(this.#tool))) {
      this.#waiting.push(next);
      return;
    }
    this.#close();
    this.#openTool(next);
  }

  #openTool(next: Tool): void {
    const { start } = next;
    this.empty = false;
    if (start.signature) {
      this.#sink.open({ type: 'redacted_thinking', data: tag(start.signature, 'tool') });
      this.#sink.close();
    }
    this.#current = 'tool';
    this.#tool = next;
    this.#sink.open({ type: 'tool_use', id: start.id, name: start.name, input: {} });
    if (start.custom) this.#sink.delta({ type: 'input_json_delta', partial_json: '{"input":"' });
    for (const piece of next.pieces) this.#sendInput(start, piece);
  }

  /** Whether the open call is whole is asked only while others wait: it parses what came so far. */
  #input(index: number, piece: string): void {
    if (piece === '') return;
    if (this.#tool?.start.index !== index) {
      this.#waiting.find((each) => each.start.index === index)?.pieces.push(piece);
      return;
    }
    this.#tool.pieces.push(piece);
    this.#sendInput(this.#tool.start, piece);
    while (this.#waiting.length > 0 && this.#tool && isWhole(this.#tool)) {
      const next = this.#waiting.shift();
      this.#close();
      if (next) this.#openTool(next);
    }
  }

  #sendInput(start: ToolStart, piece: string): void {
    const json = start.custom ? JSON.stringify(piece).slice(1, -1) : piece;
    this.#sink.delta({ type: 'input_json_delta', partial_json: json });
  }

  #citation(citation: Citation): void {
    const wire = encodeCitation(citation);
    if (!wire || this.#current !== 'text') {
      this.#losses.push({ field: 'citations', how: 'dropped' });
      return;
    }
    this.#sink.delta({ type: 'citations_delta', citation: wire });
    this.#cited = true;
  }

  #opaque(part: Extract<Part, { type: 'opaque' }>): void {
    const { value, origin, kind } = part.block;
    if (origin !== own || !isObject(value)) {
      this.#losses.push({ field: kind, how: 'dropped', note: 'understood by its own format only' });
      return;
    }
    if (!kind.endsWith('_tool_use') || !isObject(value.input)) {
      this.#whole(value);
      return;
    }
    this.finish();
    this.empty = false;
    this.#sink.open({ ...value, input: {} });
    this.#sink.delta({ type: 'input_json_delta', partial_json: JSON.stringify(value.input) });
    this.#sink.close();
  }
}

function isWhole(tool: Tool): boolean {
  return tool.start.custom === true || isObject(parse(tool.pieces.join('')));
}

function encodeCitation(citation: Citation): unknown {
  if (citation.origin === own) return citation.raw;
  if (citation.url === undefined) return undefined;
  return {
    type: 'web_search_result_location',
    url: citation.url,
    title: citation.title ?? null,
    cited_text: citation.quote ?? '',
    encrypted_index: '',
  };
}
