// A configuration from a text, with two providers' keys in the environment and one in a file, for the tests of this folder.

import assert from 'node:assert/strict';
import { type ConfigSources, type Loaded, loadConfig } from './config.ts';
import { ConfigError, formatProblem } from './problems.ts';
import { sampleTable } from './sample-table.test.ts';

export const environment = { OPENAI_API_KEY: 'sk-openai', ANTHROPIC_API_KEY: 'sk-ant' };

export function load(text: string | undefined, more: Partial<ConfigSources> = {}): Loaded {
  return loadConfig({
    ...(text === undefined ? {} : { text }),
    fileName: '/etc/tollgate/tollgate.yaml',
    environment,
    readFile: (path) => {
      if (path === '/run/secrets/eu') return 'sk-from-file\n';
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    },
    table: sampleTable,
    ...more,
  });
}

/** The problems of a text, each with its line, as `f:LINE: KEY: MESSAGE`. */
export function lines(text: string, more: Partial<ConfigSources> = {}): string[] {
  try {
    load(text, more);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems.map((problem) => formatProblem(problem, 'f'));
  }
  return [];
}
