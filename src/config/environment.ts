// The environment as the gateway sees it: the process's own, and below it what a `.env` file adds.

import { parseEnv } from 'node:util';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the process has set wins, an empty value included: a deployment must be able to blank a developer's file. */
export function withDotEnv(own: Environment, dotEnvText: string | undefined): Environment {
  if (dotEnvText === undefined) return own;
  const merged: Record<string, string | undefined> = { ...parseEnv(dotEnvText) };
  for (const [name, value] of Object.entries(own)) if (value !== undefined) merged[name] = value;
  return merged;
}
