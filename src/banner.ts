// What a start prints: where it serves, what is on, and a line to paste.

import type { Loaded } from './config/config.ts';
import type { Address } from './config/settings.ts';
import { version } from './installation.ts';
import type { LiveBudget } from './live.ts';
import type { DataFolder } from './world/real/data-folder.ts';

export interface Shown {
  readonly loaded: Loaded;
  /** Where programs are served. */
  readonly data: Address;
  /** Where operators are; absent where the control plane is off. */
  readonly control: Address | undefined;
  /** Absent where only the file's are known. */
  readonly budgets?: readonly LiveBudget[];
  readonly folder: DataFolder;
}

export function banner({ loaded, data, control, budgets, folder }: Shown): string {
  const { settings, snapshot } = loaded;
  const [url, admin] = [urlOf(data), control && urlOf(control)];
  const budget = budgetText(budgets, settings.defaultBudget);
  const named = [...snapshot.providers.keys()].filter((name) => name !== 'sim');
  const model = settings.sim ? 'sim/sim-small' : ([...snapshot.aliases.keys()][0] ?? 'PROVIDER/MODEL');
  const lines = [
    `Tollgate ${version} serves ${url}`,
    '',
    `  providers   ${named.join(', ') || 'none has a key yet: set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, ...'}`,
    ...(settings.sim ? ['  sim         the built-in provider answers in play money'] : []),
    ...(budget ? [`  budget      ${budget}`] : []),
    admin
      ? `  admin       ${admin}/admin/openapi.json, metrics ${admin}/metrics; token in ${folder.file('admin-token')}`
      : '  admin       off beyond 127.0.0.1, and the commands with it, unless the file says admin: { enabled: true }',
    '',
    'Try it:',
    '',
    `curl ${url}/v1/chat/completions -H "Authorization: Bearer $(cat ${folder.file('first-key')})" \\`,
    `  -H "Content-Type: application/json" -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello"}]}'`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function urlOf({ host, port }: Address): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function budgetText(budgets: readonly LiveBudget[] | undefined, byDefault: boolean): string | undefined {
  if (budgets?.length === 0) return 'none: what is spent is not limited';
  if (!(budgets?.some(({ source }) => source === 'default') ?? byDefault)) return undefined;
  return '5 USD a day for everything, until a budget of the scope global is written';
}
