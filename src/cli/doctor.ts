// `tollgate doctor`: is everything there that serving needs, and do the provider keys work.

import { accessSync, constants, existsSync } from 'node:fs';
import type { Loaded } from '../config/config.ts';
import { findConfigFile, loadConfigFile } from '../config/file.ts';
import { ConfigError, formatProblem } from '../config/problems.ts';
import type { Provider } from '../exchange/target.ts';
import { type Command, type Context, columns } from './command.ts';
import { causeOf } from './gateway.ts';

interface Finding {
  readonly about: string;
  readonly state: 'ok' | 'note' | 'bad';
  readonly detail: string;
}

export const doctorCommand: Command = {
  name: 'doctor',
  usage: '[--no-network]',
  summary: 'Check runtime, configuration, data folder, provider keys and the gateway',
  help: [
    'Asks each provider for its list of models with the key that is configured: this costs nothing.',
    '--no-network   Leave the providers and the gateway alone',
    'Ends with 1 when something is bad.',
  ],
  options: { 'no-network': 'boolean' },
  words: [0, 0],
  run: async (context) => {
    const findings: Finding[] = [runtime(context)];
    const loaded = configuration(context, findings);
    if (loaded) {
      findings.push(dataFolder(loaded.settings.dataFolder));
      const providers = [...loaded.snapshot.providers.values()];
      if (!context.options['no-network']) {
        findings.push(...(await Promise.all(providers.map((provider) => providerFinding(provider, context)))));
        findings.push(await gateway(context));
      }
      if (!providers.some((provider) => provider.name !== 'sim')) findings.push(noProvider(context));
    }
    if (context.json)
      context.io.out(JSON.stringify({ ok: !findings.some((finding) => finding.state === 'bad'), findings }));
    else
      for (const line of columns(findings.map((finding) => [finding.state, finding.about, finding.detail])))
        context.io.out(line);
    return findings.some((finding) => finding.state === 'bad') ? 1 : 0;
  },
};

function runtime({ io }: Context): Finding {
  const good = Number(io.about.node.split('.')[0]) >= 24;
  return {
    about: 'node',
    state: good ? 'ok' : 'bad',
    detail: good ? io.about.node : `${io.about.node}; 24 or newer is needed`,
  };
}

function configuration(context: Context, findings: Finding[]): Loaded | undefined {
  const named = context.options.config as string | undefined;
  const fileName = findConfigFile({ environment: context.environment, ...(named ? { named } : {}) });
  const about = 'configuration';
  try {
    const loaded = loadConfigFile(fileName, context.environment, context.io.table);
    findings.push({ about, state: 'ok', detail: fileName ?? 'none, the defaults hold' });
    for (const warning of loaded.warnings) {
      findings.push({ about, state: 'note', detail: formatProblem(warning, fileName ?? 'environment') });
    }
    if (loaded.settings.defaultBudget) {
      findings.push({
        about: 'budget',
        state: 'note',
        detail: 'the file has none: 5 USD a day for everything, unless one of the scope global was set by command',
      });
    }
    return loaded;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems)
      findings.push({ about, state: 'bad', detail: formatProblem(problem, error.fileName) });
    return undefined;
  }
}

function dataFolder(folder: string): Finding {
  const about = 'data folder';
  const tested = existsSync(folder) ? folder : '.';
  try {
    accessSync(tested, constants.W_OK | constants.R_OK);
    return { about, state: 'ok', detail: tested === folder ? folder : `${folder} will be made at the first start` };
  } catch {
    return { about, state: 'bad', detail: `${folder} cannot be written; set TOLLGATE_DATA to a folder that can` };
  }
}

function noProvider({ io }: Context): Finding {
  const names = io.table.rows.flatMap((row) => row.keyVariables.slice(0, 1)).slice(0, 5);
  return { about: 'providers', state: 'note', detail: `no key is set; for example ${names.join(', ')}` };
}

/** The list of models: the one request that every provider answers for free and only with a good key. */
async function providerFinding(provider: Provider, { io }: Context): Promise<Finding> {
  const about = provider.name;
  if (!/^https?:/.test(provider.baseUrl)) return { about, state: 'ok', detail: 'built in' };
  if (provider.auth === 'google-token' || provider.quirks.some((quirk) => quirk.startsWith('azure'))) {
    return { about, state: 'note', detail: 'not tried: this provider has no list of models behind a plain key' };
  }
  const results = await Promise.all(
    (provider.keys.length > 0 ? provider.keys : [undefined]).map((key) => tryKey(provider, key?.reveal(), io.fetch)),
  );
  const bad = results.find((result) => result.state === 'bad') ?? results.find((result) => result.state === 'note');
  const count =
    results.length > 1 ? `${results.length} keys work` : provider.keys.length === 1 ? 'the key works' : 'answers';
  return { about, ...(bad ?? { state: 'ok', detail: count }) };
}

async function tryKey(
  provider: Provider,
  key: string | undefined,
  send: typeof fetch,
): Promise<Pick<Finding, 'state' | 'detail'>> {
  const headers: Record<string, string> = { ...provider.headers };
  if (key && provider.auth === 'bearer') headers.authorization = `Bearer ${key}`;
  else if (key) headers[provider.auth] = key;
  try {
    const response = await send(`${provider.baseUrl}/models`, {
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(10_000),
    });
    await response.body?.cancel();
    if (response.ok) return { state: 'ok', detail: '' };
    if (response.status === 401 || response.status === 403)
      return { state: 'bad', detail: `the key is refused (${response.status})` };
    return { state: 'note', detail: `answers ${response.status} to a list of models; the key was not tested` };
  } catch (error) {
    return { state: 'bad', detail: `${new URL(provider.baseUrl).host} does not answer (${causeOf(error)})` };
  }
}

async function gateway(context: Context): Promise<Finding> {
  const about = 'gateway';
  const url = context.url();
  try {
    const response = await context.io.fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
    const text = await response.text();
    if (response.ok) return { about, state: 'ok', detail: `ready at ${url}` };
    return { about, state: 'bad', detail: `${url} is not ready: ${text.trim().slice(0, 200)}` };
  } catch (error) {
    return { about, state: 'note', detail: `none runs at ${url} (${causeOf(error)}); start one with: tollgate start` };
  }
}
