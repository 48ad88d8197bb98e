// Where a target's request goes: one path rule per format, and the schemes that differ (Vertex, Azure).

import { Refusal } from '../exchange/refusal.ts';
import type { Provider, Target } from '../exchange/target.ts';
import { azurePath } from './azure.ts';
import { segment } from './segment.ts';
import { vertexPath } from './vertex.ts';

const control = /[\p{Cc}\u2028\u2029]/u;

/** What follows the origin: path and query. Throws `Refusal` for a model name that the scheme cannot carry. */
export function pathOf({ provider, model }: Target, base: string, stream: boolean): string {
  if (model === '' || model.length > 256 || control.test(model)) {
    throw new Refusal('invalid_request', 'The model name is empty, too long, or holds control characters.', {
      param: 'model',
    });
  }
  if (provider.auth === 'google-token') return vertexPath(provider, model, base, stream);
  if (provider.quirks.includes('azure')) return azurePath(provider, model, base);
  return byFormat[provider.format](base, model, stream);
}

const byFormat: Readonly<Record<Provider['format'], (base: string, model: string, stream: boolean) => string>> = {
  'openai-chat': (base) => `${base}/chat/completions`,
  // Anthropic's own convention is a base without version, others write it with one: both are meant the same.
  'anthropic-messages': (base) => `${base}${/\/v1$/.test(base) ? '' : '/v1'}/messages`,
  'gemini-generate': (base, model, stream) => {
    const [kind, name] = /^(?:models|tunedModels)\//.test(model) ? model.split(/\/(.*)/s) : ['models', model];
    const version = /\/v1(?:alpha|beta)?$/.test(base) ? '' : '/v1beta';
    return `${base}${version}/${kind}/${segment(name ?? '')}:${geminiVerb(stream)}`;
  },
};

function geminiVerb(stream: boolean): string {
  return stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
}
