// Azure's address scheme: the model is a deployment, named in the path (dated api-version) or in the body (/openai/v1).

import type { Provider } from '../exchange/target.ts';
import { segment } from './segment.ts';

/**
 * `settings.api_version` decides: `2024-10-21` and the like mean the deployments path; unset, `v1` or `preview` mean
 * the undated `/openai/v1`, where the body's `model` names the deployment.
 */
export function azurePath(provider: Provider, model: string, base: string): string {
  const root = base.replace(/\/openai(?:\/v1)?$/, '');
  const version = provider.settings.api_version;
  if (version === undefined || version === '' || version === 'v1') return `${root}/openai/v1/chat/completions`;
  const query = `?api-version=${encodeURIComponent(version)}`;
  if (version === 'preview') return `${root}/openai/v1/chat/completions${query}`;
  return `${root}/openai/deployments/${segment(model)}/chat/completions${query}`;
}
