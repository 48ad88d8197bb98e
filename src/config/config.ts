// Loads the configuration: one text and an environment in, one snapshot of policy and the process settings out.

import { createHash } from 'node:crypto';
import type { PriceRule, Snapshot } from '../exchange/policy.ts';
import { declaredValues } from './declared.ts';
import { type ConfigDocument, parseConfigDocument } from './document.ts';
import { ConfigError, createFindings, inOrder, type Path, type Problem } from './problems.ts';
import type { ProviderTable } from './provider-table.ts';
import { readModels } from './read-models.ts';
import { defaultBudgets, readBudgets, readLimits } from './read-money.ts';
import { readPrices } from './read-prices.ts';
import { providersFromEnvironment, type ReadProviders, readProviders } from './read-providers.ts';
import { createReferences } from './references.ts';
import type { ConfigFile } from './schema.ts';
import { readSettings, type Settings } from './settings.ts';
import { validate } from './validate.ts';

export interface ConfigSources {
  /** The file's text; undefined where there is no file and the defaults hold. */
  readonly text?: string;
  readonly fileName?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads a secret's file; throws what the file system says. */
  readonly readFile: (path: string) => string;
  readonly table: ProviderTable;
  /** A check on a machine without the secrets: what cannot be resolved is a warning. Never for a gateway that serves. */
  readonly lenient?: boolean;
}

export interface Loaded {
  readonly snapshot: Snapshot;
  readonly settings: Settings;
  readonly warnings: readonly Problem[];
  /** What the file declares, without secrets: for the admin API. */
  readonly declared: Readonly<Record<string, unknown>>;
  /** Secret files that were read: a change of one is a change of the configuration. */
  readonly filesRead: readonly string[];
  /** Where a key stands in the file, for what shows only beside other things to be wrong. */
  locate(path: Path): { line: number; column: number };
}

/** Throws `ConfigError` with every problem found. */
export function loadConfig(sources: ConfigSources): Loaded {
  const fileName = sources.fileName ?? 'tollgate.yaml';
  const document = sources.text === undefined ? noDocument : parseConfigDocument(sources.text, fileName);
  const findings = createFindings(document.locate);
  const file = validate(document, findings);
  if (!file) throw new ConfigError(fileName, findings.problems);

  const { environment, table } = sources;
  const lenient = sources.lenient ?? false;
  const references = createReferences(
    { environment, readFile: sources.readFile, fileName, directories: file.files, lenient },
    findings,
  );
  const from = { table, environment, readFile: sources.readFile, references, findings, lenient };
  const ready = file.providers
    ? readProviders(file.providers, from)
    : providersFromEnvironment(from, sources.text === undefined);
  const declared = file.providers ? Object.keys(file.providers) : undefined;
  const snapshot: Snapshot = {
    version: sources.text === undefined ? 'default' : hash(sources.text),
    providers: ready.providers,
    synonyms: ready.synonyms,
    aliases: readModels(file.models ?? {}, { ready, rows: table.rows, findings, declared, lenient }),
    budgets: file.budgets ? readBudgets(file.budgets, findings) : defaultBudgets,
    limits: readLimits(file.limits ?? [], findings),
    prices: [...readPrices(file.prices ?? {}, ready.synonyms, findings), ...freeRules(file, ready)],
  };
  const settings = readSettings(file, ready.providers.has('sim'), { environment, references, findings });
  if (findings.problems.length > 0) throw new ConfigError(fileName, findings.problems, references.filesRead);
  return {
    snapshot,
    settings,
    warnings: inOrder(findings.warnings),
    declared: declaredValues(file),
    filesRead: references.filesRead,
    locate: document.locate,
  };
}

const noDocument: ConfigDocument = { value: {}, locate: () => ({ line: 0, column: 0 }) };

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** `free: true` on a provider, after the prices that name its models one by one. */
function freeRules(file: ConfigFile, ready: ReadProviders): PriceRule[] {
  return ready.free
    .map((name) => ({ match: `${name}/*`, free: true }))
    .filter((rule) => !(rule.match in (file.prices ?? {})));
}
