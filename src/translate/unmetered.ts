// Fields by which a request would be answered by a model that was neither allowed nor priced, or where no meter reaches.

import { Refusal } from '../exchange/refusal.ts';

const otherModels =
  'names models that the gateway has neither allowed to this key nor priced; name fallbacks as the targets of one model ' +
  "under models: in the gateway's configuration, and ask for that model";

/** Top-level fields of the OpenAI and the Anthropic format, as routers and hosts that speak them understand them. */
const fields: Readonly<Record<string, string>> = {
  models: otherModels,
  fallbacks: otherModels,
  // OpenRouter: a stored choice of model, prompt and tools, which may change behind the price.
  preset: 'is a stored choice of models that the gateway cannot see, allow or price; ask for the model itself',
  // Vercel's gateway: models and hosts to try.
  providerOptions: otherModels,
  // Groq: the models behind a compound one.
  compound_custom: otherModels,
  // xAI: the answer is fetched later, on a path that is not metered.
  deferred: 'would leave the answer, and its bill, to a later request that the gateway does not serve',
};

/** Read for money, or refused: written twice, they could be read otherwise by the provider than here. */
export const unmeteredKeys: readonly string[] = [...Object.keys(fields), 'plugins'];

/** Throws `parameter_refused` for a field that is there and says something. */
export function refuseUnmetered(body: Readonly<Record<string, unknown>>): void {
  for (const field in fields) if (says(body[field])) throw refused(field, fields[field]);
}

export function refused(field: string, why = otherModels): Refusal {
  return new Refusal('parameter_refused', `'${field}' ${why}.`, { param: field });
}

function says(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/** Plugins of OpenRouter, each with a price of its own. */
export function pluginTools(plugins: unknown): string[] {
  if (!Array.isArray(plugins)) return [];
  const ids = plugins.map((plugin: unknown) => (plugin as { readonly id?: unknown } | null)?.id);
  return ids.flatMap((id) => (typeof id === 'string' && id !== '' ? [`plugin:${id}`] : []));
}
