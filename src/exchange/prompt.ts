// The neutral form of a request: what a crossing from one format to another carries. The same-format path never needs it.
// It is a union, not an intersection: whatever one format can say has a place, and a codec reports what it cannot say.

import type { Format } from './format.ts';

/** An opaque proof of reasoning, of worth only to the format (and provider family) that made it. */
export interface Signature {
  readonly origin: Format;
  readonly value: string;
}

/** Asks the provider to cache the prompt up to and including this block. */
export interface CacheMark {
  readonly ttl: '5m' | '1h';
}

export type MediaSource =
  | { readonly kind: 'base64'; readonly data: string; readonly mediaType: string }
  | { readonly kind: 'url'; readonly url: string; readonly mediaType?: string }
  | { readonly kind: 'file'; readonly id: string; readonly mediaType?: string; readonly origin: Format }
  | { readonly kind: 'text'; readonly text: string; readonly mediaType: string };

export interface TextBlock {
  readonly type: 'text';
  readonly text: string;
  readonly cache?: CacheMark;
  readonly citations?: readonly Citation[];
  readonly signature?: Signature;
}

export interface MediaBlock {
  readonly type: 'image' | 'audio' | 'document' | 'video';
  readonly source: MediaSource;
  readonly name?: string;
  /** OpenAI's image detail, Gemini's media resolution. */
  readonly detail?: string;
  /** Anthropic: free text about a document, and whether it may be cited. */
  readonly context?: string;
  readonly citable?: boolean;
  readonly cache?: CacheMark;
  readonly signature?: Signature;
}

export interface ReasoningBlock {
  readonly type: 'reasoning';
  readonly text: string;
  /** True where the provider hid the text; then only the signature carries anything. */
  readonly redacted?: boolean;
  readonly signature?: Signature;
}

export interface ToolCallBlock {
  readonly type: 'tool-call';
  readonly id: string;
  readonly name: string;
  /** The arguments as JSON text (an object). Free text where `custom` is true. */
  readonly input: string;
  readonly custom?: boolean;
  readonly signature?: Signature;
  readonly cache?: CacheMark;
}

export interface ToolResultBlock {
  readonly type: 'tool-result';
  readonly id: string;
  /** The tool's name; filled by the decoder from the matching call where the format does not repeat it. */
  readonly name?: string;
  readonly content: readonly (TextBlock | MediaBlock | OpaqueBlock)[];
  readonly failed?: boolean;
  readonly cache?: CacheMark;
}

export interface RefusalBlock {
  readonly type: 'refusal';
  readonly text: string;
}

/** Something only its own format understands (a provider-run tool's result, executable code, ...). */
export interface OpaqueBlock {
  readonly type: 'opaque';
  readonly origin: Format;
  readonly kind: string;
  readonly value: unknown;
}

export type Block =
  | TextBlock
  | MediaBlock
  | ReasoningBlock
  | ToolCallBlock
  | ToolResultBlock
  | RefusalBlock
  | OpaqueBlock;

/**
 * A turn. Tool results are blocks of `user` turns (OpenAI's `tool` messages are folded into one). System and
 * developer texts are turns where they stood; formats that have one place for them gather the leading ones.
 */
export interface Turn {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: readonly Block[];
  readonly name?: string;
}

export interface Citation {
  readonly origin: Format;
  readonly url?: string;
  readonly title?: string;
  readonly quote?: string;
  /** Offsets in characters of the text the citation belongs to. */
  readonly start?: number;
  readonly end?: number;
  /** The citation in its own format's words, for a return to it. */
  readonly raw: unknown;
}

export interface Tool {
  /** As the client wrote it (`tools[2]`, `web_search_options`): losses are named by it. */
  readonly place: string;
  readonly name: string;
  readonly description?: string;
  /** JSON Schema, passed whole: no keyword is filtered here. */
  readonly schema?: Readonly<Record<string, unknown>>;
  readonly strict?: boolean;
  readonly cache?: CacheMark;
}

/** A tool that the provider runs itself, in its own format's words. */
export interface HostedTool {
  /** As of a `Tool`. */
  readonly place: string;
  readonly origin: Format;
  /** Neutral where the field has a common notion, otherwise the origin's own name. */
  readonly kind: 'web-search' | 'code-execution' | 'url-context' | 'file-search' | (string & {});
  readonly value: unknown;
}

export type ToolChoice =
  | { readonly kind: 'auto' | 'none' | 'any' }
  | { readonly kind: 'tool'; readonly name: string }
  | { readonly kind: 'allowed'; readonly names: readonly string[]; readonly required: boolean };

export interface Reasoning {
  readonly enabled: boolean;
  /** Neutral scale; formats with more or fewer steps round towards the middle and say so. */
  readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  readonly budgetTokens?: number;
  /** The model chooses how much (Anthropic `adaptive`, Gemini -1). */
  readonly adaptive?: boolean;
  /**
   * Whether the thoughts (or their summary) should be shown. `by-default`: nobody asked, and a client of this format
   * expects them; no loss where they cannot be shown.
   */
  readonly visible?: boolean | 'by-default';
}

export type OutputFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | {
      readonly kind: 'schema';
      readonly name?: string;
      readonly description?: string;
      readonly schema: Readonly<Record<string, unknown>>;
      readonly strict?: boolean;
    };

export interface Prompt {
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly hostedTools: readonly HostedTool[];
  readonly toolChoice?: ToolChoice;
  /** False forbids more than one tool call a turn; absent leaves it to the provider. */
  readonly parallelToolCalls?: boolean;
  readonly outputLimit?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  readonly choices?: number;
  readonly logprobs?: boolean;
  readonly topLogprobs?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly logitBias?: Readonly<Record<string, number>>;
  readonly reasoning?: Reasoning;
  readonly outputFormat?: OutputFormat;
  readonly verbosity?: string;
  /** Output modalities beyond text: `audio`, `image`. */
  readonly modalities?: readonly string[];
  readonly audioOutput?: { readonly voice?: string; readonly format?: string };
  readonly user?: string;
  readonly tier?: string;
  readonly stream: boolean;
  /** Top-level fields the decoder knows no neutral place for, by the client's name: reported when they are lost. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Something a crossing could not carry, named as the client wrote it (`logit_bias`, `messages[3].content[0]`). */
export interface Loss {
  readonly field: string;
  readonly how: 'dropped' | 'clamped' | 'changed';
  readonly note?: string;
}
