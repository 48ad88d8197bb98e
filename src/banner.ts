// What a start prints: where it serves, what is on, and a line to paste.

import type { Loaded } from './config/config.ts';
import { version } from './installation.ts';
import type { DataFolder } from './world/real/data-folder.ts';

export function banner(url: string, { settings, snapshot }: Loaded, folder: DataFolder): string {
  const named = [...snapshot.providers.keys()].filter((name) => name !== 'sim');
  const model = settings.sim ? 'sim/sim-small' : ([...snapshot.aliases.keys()][0] ?? 'PROVIDER/MODEL');
  const lines = [
    `Tollgate ${version} serves ${url}`,
    '',
    `  providers   ${named.join(', ') || 'none has a key yet: set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, ...'}`,
    ...(settings.sim ? ['  sim         the built-in provider answers in play money'] : []),
    ...(settings.defaultBudget ? ['  budget      5 USD a day for everything, until you write a budget'] : []),
    ...(settings.admin.enabled
      ? [`  admin       ${url}/admin/openapi.json, metrics ${url}/metrics; token in ${folder.file('admin-token')}`]
      : []),
    '',
    'Try it:',
    '',
    `curl ${url}/v1/chat/completions -H "Authorization: Bearer $(cat ${folder.file('first-key')})" \\`,
    `  -H "Content-Type: application/json" -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello"}]}'`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}
