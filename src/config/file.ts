// Finds and reads the configuration on disk: the file that was named, or ./tollgate.yaml where there is one.

import { existsSync, readFileSync } from 'node:fs';
import { type Loaded, loadConfig } from './config.ts';
import { type Environment, withDotEnv } from './environment.ts';
import { ConfigError } from './problems.ts';
import type { ProviderTable } from './provider-table.ts';

export interface ConfigPlace {
  /** From `--config`. */
  readonly named?: string;
  readonly environment: Environment;
}

/** What is read, and waited for, where no file was named. */
export const usualFile = 'tollgate.yaml';

const fileMaxBytes = 4 * 1024 * 1024;

/** The file to read: `--config`, then TOLLGATE_CONFIG, then ./tollgate.yaml; undefined where there is none. */
export function findConfigFile(place: ConfigPlace): string | undefined {
  const named = place.named ?? place.environment.TOLLGATE_CONFIG?.trim();
  if (named) return named;
  return [usualFile, 'tollgate.yml', 'tollgate.json'].find((name) => existsSync(name));
}

/** The process's environment and ./.env together. */
export function readEnvironment(own: Environment, dotEnvFile = '.env'): Environment {
  try {
    return withDotEnv(own, readFileSync(dotEnvFile, 'utf8'));
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === 'ENOENT' || code === 'EISDIR') return own;
    throw new ConfigError(dotEnvFile, [{ line: 0, column: 0, key: '', message: `cannot be read (${code})` }]);
  }
}

/** Throws `ConfigError`, also where the file cannot be read. */
export function loadConfigFile(
  fileName: string | undefined,
  environment: Environment,
  table: ProviderTable,
  lenient = false,
): Loaded {
  const readFile = (path: string) => readFileSync(path, 'utf8');
  const rest = { environment, readFile, table, lenient };
  return fileName === undefined ? loadConfig(rest) : loadConfig({ ...rest, fileName, text: readText(fileName) });
}

function readText(fileName: string): string {
  let text: string;
  try {
    text = readFileSync(fileName, 'utf8');
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'unreadable';
    const message = code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`;
    throw new ConfigError(fileName, [{ line: 0, column: 0, key: '', message }]);
  }
  if (text.length <= fileMaxBytes) return text;
  throw new ConfigError(fileName, [{ line: 0, column: 0, key: '', message: 'is larger than 4 MB' }]);
}
