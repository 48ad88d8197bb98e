// Writes docs/providers.md from the table of providers; `--check` only says whether it is current.

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ProviderRow } from '../src/exchange/provider-row.ts';
import { quirks } from '../src/providers/body.ts';
import { defaultTimeouts, wholeAnswerFactor } from '../src/providers/default-timeouts.ts';
import { rows } from '../src/providers/table.ts';

export const file = resolve(import.meta.dirname, '..', 'docs', 'providers.md');

function line(row: ProviderRow): string {
  const name = [row.name, ...row.synonyms].map(code).join(', ');
  const variables = [...row.keyVariables, ...row.keyFileVariables].map(code).join(' or ') || 'none needed';
  const { mode, abortStops, lowWater } = row.billing;
  const { packed, abort } = row.evidence;
  const stops = `${abortStops ? 'yes' : 'not promised'} (${abort ?? 'assumed'})`;
  const most = packed ? `${packed.most} of ${packed.events}` : 'not recorded';
  return `| ${[name, code(row.format), variables, row.tier, mode, stops, lowWater, most].join(' | ')} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function dialects(): string[] {
  return Object.entries(quirks).map(([name, { why }]) => {
    const users = rows.filter((row) => row.quirks.includes(name)).map((row) => code(row.name));
    return `- ${users.join(', ')}: ${why} (${code(name)}).`;
  });
}

function settings(): string[] {
  return rows
    .filter((row) => Object.keys(row.settingVariables).length > 0)
    .map((row) => {
      const each = Object.entries(row.settingVariables).map(([name, variables]) => {
        const needed = row.needs.includes(name) && row.settings[name] === undefined ? ', needed' : '';
        return `${code(name)} (${variables.map(code).join(' or ')}${needed})`;
      });
      return `- ${code(row.name)}: ${each.join('; ')}.`;
    });
}

export function providersDocument(): string {
  const { connect, firstByte, idle, total } = defaultTimeouts;
  return `# Providers

Generated from \`src/providers/table.ts\` by \`node scripts/providers-doc.ts\`: change the table, not this file.

| provider | format | environment variable | tier | overspend at a cut | abort stops billing | low-water mark, tokens | most tokens in one event |
|---|---|---|---|---|---|---|---|
${rows.map(line).join('\n')}

- **Tier**: \`verified\` is covered by recorded traffic of that provider; \`community\` follows its documentation.
- **Overspend at a cut**: \`strict\` means that a stream cut at its budget costs nothing over it while the tokens in
  flight stay within the low-water mark. \`bounded\` means that chunks are too coarse, tokens too fast or the abort too
  slow for that promise: what is in flight beyond the mark can still be billed.
- **Abort stops billing**: "yes" where the provider stops its meter when the connection closes; in brackets where that
  is known from: \`router\`, as routers that resell the provider document it; \`local\`, because the machine is yours;
  \`assumed\`. "Not promised": what is under way is heard out, so that it is charged as the provider bills it.
- **Low-water mark**: more money is set aside while at least this many output tokens of the hold are unused. It covers
  what is in flight when a stream is cut: at least two of the largest events seen, save where an event held the results
  of a tool that the provider ran itself (\`groq\`).
- **Most tokens in one event**: measured on recorded streams, of so many events, counted with the o200k vocabulary
  (\`node bench/estimates.ts\`). Nothing here was measured against live accounts.

A provider of your own needs three lines in \`tollgate.yaml\`: \`format\`, \`base_url\` and \`api_key\`. It is \`bounded\`,
and its models need a price.

## Settings

${settings().join('\n')}

Without a service account file, the Vertex providers ask the metadata server of the machine they run on.
With \`api_version\` a date, Azure is called by its deployments path; without one, by \`/openai/v1\`.

## Dialects

${dialects().join('\n')}

## Timeouts

| clock | default | runs |
|---|---|---|
| connect | ${seconds(connect)} | until the connection stands |
| first byte | ${seconds(firstByte)} | until the answer begins; ${wholeAnswerFactor} times that where the answer is not streamed, since its first byte is its last |
| idle | ${seconds(idle)} | between two pieces of an answer |
| total | ${seconds(total)} | over all |

${rows
  .filter((row) => row.timeouts.firstByte !== undefined)
  .map((row) => code(row.name))
  .join(' and ')} wait ${seconds(300_000)} for the first byte: a local model may have to be loaded.
`;
}

if (import.meta.main) {
  const wanted = providersDocument();
  if (process.argv.includes('--check')) {
    if (readFileSync(file, 'utf8') === wanted) process.exit(0);
    console.error('docs/providers.md is not current: run `node scripts/providers-doc.ts`.');
    process.exit(1);
  }
  writeFileSync(file, wanted);
}
