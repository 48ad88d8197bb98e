// The wire formats the gateway speaks, and the surfaces (paths) on which clients speak them.

export type Format = 'openai-chat' | 'anthropic-messages' | 'gemini-generate';

export const formats: readonly Format[] = ['openai-chat', 'anthropic-messages', 'gemini-generate'];

/** What a path asks for. `models` and `budget` are answered here; `generate` reaches a provider. */
export type SurfaceKind = 'generate' | 'models' | 'budget';

export interface Surface {
  readonly kind: SurfaceKind;
  readonly format: Format;
  /** The model, where the path names it (Gemini). */
  readonly model?: string;
  /** Whether the path, rather than the body, asks for a stream (Gemini). */
  readonly stream?: boolean;
  /** How a stream leaves: server-sent events, or one JSON array (Gemini without `alt=sse`). */
  readonly framing?: Framing;
}

export type Framing = 'sse' | 'json-array';
