// `tollgate check`: is a configuration good, and if not, on which line.

import { loadCatalogue } from '../config/catalogue.ts';
import { findConfigFile, loadConfigFile } from '../config/file.ts';
import { ConfigError, formatProblem, inOrder } from '../config/problems.ts';
import { unpricedWays } from '../config/unpriced.ts';
import { type Command, CommandError } from './command.ts';

export const checkCommand: Command = {
  name: 'check',
  usage: '[FILE]',
  summary: 'Validate a configuration; every problem with its line and key',
  help: [
    'FILE is tollgate.yaml, or what --config or TOLLGATE_CONFIG name.',
    'Secrets need not be there: what cannot be resolved on this machine is a warning.',
    'Ends with 0 when the file is good, with 1 when it is not.',
  ],
  options: {},
  words: [0, 1],
  run: async ({ io, environment, words, options, json }) => {
    const named = words[0] ?? (options.config as string | undefined);
    const fileName = findConfigFile({ environment, ...(named ? { named } : {}) });
    if (!fileName) throw new CommandError('there is no tollgate.yaml here; name a file: tollgate check FILE', 2);
    try {
      const loaded = loadConfigFile(fileName, environment, io.table, true);
      const { snapshot } = loaded;
      const warnings = inOrder([...loaded.warnings, ...unpricedWays(loaded, loadCatalogue(), Date.now())]);
      if (json) io.out(JSON.stringify({ ok: true, file: fileName, version: snapshot.version, problems: [], warnings }));
      else {
        for (const warning of warnings) io.error(`warning: ${formatProblem(warning, fileName)}`);
        const counts = [
          counted(snapshot.providers.size, 'provider'),
          counted(snapshot.aliases.size, 'model'),
          counted(snapshot.budgets.length, 'budget'),
        ];
        io.out(`${fileName} is good: ${counts.join(', ')}.`);
      }
      return 0;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (json) io.out(JSON.stringify({ ok: false, file: fileName, problems: error.problems, warnings: [] }));
      else for (const problem of error.problems) io.error(formatProblem(problem, error.fileName));
      return 1;
    }
  },
};

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
