// Vertex's address scheme: a model lives under its publisher, a project and a location.

import type { Provider } from '../exchange/target.ts';
import { segment } from './segment.ts';

// Google's own SDK speaks v1beta1 to Gemini (preview models exist only there); Claude is served under v1.
const google = {
  name: 'google',
  version: 'v1beta1',
  whole: 'generateContent',
  stream: 'streamGenerateContent?alt=sse',
};
const anthropic = { name: 'anthropic', version: 'v1', whole: 'rawPredict', stream: 'streamRawPredict' };

export function vertexPath(provider: Provider, model: string, base: string, stream: boolean): string {
  const publisher = provider.format === 'anthropic-messages' ? anthropic : google;
  const name = model.replace(/^(?:publishers\/(?:google|anthropic)\/)?models\//, '');
  const root = /\/v1(?:beta1)?$/.test(base) ? base : `${base}/${publisher.version}`;
  const { project = '', location = 'global' } = provider.settings;
  const place = `projects/${segment(project)}/locations/${segment(location)}`;
  const verb = stream ? publisher.stream : publisher.whole;
  return `${root}/${place}/publishers/${publisher.name}/models/${segment(name)}:${verb}`;
}
