// Which path speaks which format. Decided on the path alone, before any header or body is believed.

import type { Surface } from '../exchange/format.ts';

interface Fixed {
  readonly method: 'GET' | 'POST';
  readonly surface: Surface;
}

const fixed: ReadonlyMap<string, Fixed> = new Map<string, Fixed>([
  ['/v1/chat/completions', { method: 'POST', surface: { kind: 'generate', format: 'openai-chat' } }],
  ['/v1/messages', { method: 'POST', surface: { kind: 'generate', format: 'anthropic-messages' } }],
  ['/v1/models', { method: 'GET', surface: { kind: 'models', format: 'openai-chat' } }],
  ...['v1beta', 'v1beta1', 'v1alpha'].map((version): [string, Fixed] => [
    `/${version}/models`,
    { method: 'GET', surface: { kind: 'models', format: 'gemini-generate' } },
  ]),
  ['/v1/budget', { method: 'GET', surface: { kind: 'budget', format: 'openai-chat' } }],
]);

const geminiVersions = ['v1beta', 'v1', 'v1beta1', 'v1alpha'];
const geminiActions = ['generateContent', 'streamGenerateContent'];
const gemini = new RegExp(`^/(?:${geminiVersions.join('|')})/models/([^?]{1,512}):(${geminiActions.join('|')})$`);

const oneModel = new RegExp(`^/(${geminiVersions.join('|')})/models/([^?]{1,512})$`);

/** Every path that is served, for whoever must not miss one; `{model}` stands for any model. */
export const routes: readonly {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly kind: Surface['kind'];
}[] = [
  ...[...fixed].map(([path, { method, surface }]) => ({ method, path, kind: surface.kind })),
  ...geminiVersions.map((version) => ({
    method: 'GET' as const,
    path: `/${version}/models/{model}`,
    kind: 'models' as const,
  })),
  ...geminiVersions.flatMap((version) =>
    geminiActions.map((action) => ({
      method: 'POST' as const,
      path: `/${version}/models/{model}:${action}`,
      kind: 'generate' as const,
    })),
  ),
];

export interface Match {
  readonly surface: Surface;
  readonly path: string;
  readonly query: string;
  /** False where the path exists and the method does not. */
  readonly allowed: boolean;
}

/** The surface of a request target, or undefined. Only origin-form targets match: no absolute URL, no encoded slash tricks. */
export function matchSurface(method: string, target: string): Match | undefined {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  const known = fixed.get(path);
  if (known) return { surface: known.surface, path, query, allowed: method === known.method };
  const named = gemini.exec(path);
  if (!named) return method === 'GET' ? matchModel(path, query) : undefined;
  const model = decodeModel(named[1] ?? '');
  if (model === undefined) return undefined;
  const stream = named[2] === 'streamGenerateContent';
  return {
    surface: {
      kind: 'generate',
      format: 'gemini-generate',
      model,
      stream,
      framing: stream && queryValue(query, 'alt') !== 'sse' ? 'json-array' : 'sse',
    },
    path,
    query,
    allowed: method === 'POST',
  };
}

/** `GET /v1/models/{model}`; the other API versions are Gemini's alone. */
function matchModel(path: string, query: string): Match | undefined {
  const [, version, name] = oneModel.exec(path) ?? [];
  const model = name === undefined ? undefined : decodeModel(name);
  if (model === undefined) return undefined;
  const format = version === 'v1' ? 'openai-chat' : 'gemini-generate';
  return { surface: { kind: 'models', format, model }, path, query, allowed: true };
}

function decodeModel(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The first value of a query parameter, decoded; undefined where it is absent or undecodable. */
export function queryValue(query: string, name: string): string | undefined {
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    if ((equals < 0 ? pair : pair.slice(0, equals)) === name)
      return decodeModel(equals < 0 ? '' : pair.slice(equals + 1));
  }
  return undefined;
}

/** The format of a path that several SDKs share, or that does not exist: guessed from it and the headers an SDK sends. */
export function guessFormat(target: string, headers: Readonly<Record<string, unknown>>): Surface['format'] {
  if (/^\/v1(beta|alpha)/.test(target) || headers['x-goog-api-key'] !== undefined) return 'gemini-generate';
  if (target.startsWith('/v1/messages') || headers['anthropic-version'] !== undefined) return 'anthropic-messages';
  return 'openai-chat';
}
