// The text of an answer inside one event or body of any format: what a tokenizer would be given.

/** Values under these keys are no output: names and proofs of the protocol. */
const silent = new Set([
  'role',
  'id',
  'type',
  'format',
  'signature',
  'thoughtSignature',
  'thought_signature',
  'data',
  'object',
  'channel',
  'obfuscation',
  'finish_reason',
  'finishReason',
  'native_finish_reason',
  'content_filter_results',
  'content_filter_result',
  'logprobs',
  'mimeType',
  'mime_type',
  'annotations',
  'index',
  'p',
  // What was found, made or run for an answer, which no model wrote word by word: it is billed apart, or as input.
  'images',
  'image_url',
  'citation',
  'citations',
  'citationMetadata',
  'groundingMetadata',
  'urlContextMetadata',
  'codeExecutionResult',
  'citation_metadata',
  'grounding_metadata',
  'url_context_metadata',
  'code_execution_result',
]);

/** Objects in objects deeper than this hold no text of an answer. */
const deepest = 24;

/**
 * Reads `choices`, `delta`, `content_block`, `content` and `candidates`, so that the formats need no decoder with a
 * state: a stream may be looked at from its middle. A parse, 1-2 µs for a chunk of 300 bytes: for samples, and where
 * money is scarce. '' where it is no JSON.
 */
export function textInside(data: string): string {
  let body: unknown;
  try {
    body = JSON.parse(data);
  } catch {
    return '';
  }
  if (typeof body !== 'object' || body === null) return '';
  const { choices, delta, content_block: block, content, candidates } = body as Record<string, unknown>;
  const found: string[] = [];
  for (const each of [choices, delta, isResult(block) ? undefined : block, content, candidates])
    collect(each, found, 0);
  return found.join('');
}

/** What a tool of the provider's own answered: pages, encrypted. */
function isResult(block: unknown): boolean {
  const type = (block as { type?: unknown } | null | undefined)?.type;
  return typeof type === 'string' && type.endsWith('_tool_result');
}

/** Every string of a prompt, up to so many characters in all; undefined where it has more. */
export function stringsOf(value: unknown, charactersMax: number): string | undefined {
  const found: string[] = [];
  const bound = { left: charactersMax };
  return gather(value, found, bound, 0) ? found.join('\n') : undefined;
}

function collect(value: unknown, found: string[], depth: number): void {
  if (depth > deepest || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const each of value) {
      if (typeof each === 'string') found.push(each);
      else collect(each, found, depth + 1);
    }
    return;
  }
  const repeats = 'reasoning' in value || 'reasoning_content' in value;
  // Perplexity sends the whole answer so far beside each piece of it.
  const streams = 'delta' in value && hasWords(value.delta);
  for (const key in value) {
    if (silent.has(key) || (repeats && key === 'reasoning_details') || (streams && key === 'message')) continue;
    const each = (value as Record<string, unknown>)[key];
    if (typeof each === 'string') found.push(each);
    else collect(each, found, depth + 1);
  }
}

function hasWords(delta: unknown): boolean {
  const words = (delta as { readonly content?: unknown } | null)?.content;
  return typeof words === 'string' && words !== '';
}

function gather(value: unknown, found: string[], bound: { left: number }, depth: number): boolean {
  if (depth > deepest) return true;
  if (typeof value === 'string') {
    if (isMedia(value)) return true;
    bound.left -= value.length + 1;
    found.push(value);
    return bound.left >= 0;
  }
  if (typeof value === 'number' || typeof value === 'boolean') {
    bound.left -= 4;
    found.push(String(value));
    return bound.left >= 0;
  }
  if (typeof value !== 'object' || value === null) return true;
  for (const key in value) {
    if (!Array.isArray(value)) found.push(key);
    if (!gather((value as Record<string, unknown>)[key], found, bound, depth + 1)) return false;
  }
  return true;
}

/** Base64 of a picture or a sound: no text, counted by formula. */
function isMedia(text: string): boolean {
  return text.length > 1000 && (text.startsWith('data:') || !/[\s"]/.test(text.slice(0, 1000)));
}
