// What to set so that a provider which is not configured becomes so, for commands that were asked of it.

import { CommandError, type Context } from './command.ts';

/** `wanted` is a provider, provider/model or a bare model; where the table has it, the refusal says what is to be set. */
export async function askOfProvider(context: Context, path: string, wanted: string): ReturnType<Context['ask']> {
  try {
    return await context.ask('GET', path);
  } catch (error) {
    if (!(error instanceof CommandError) || !/^No (configured )?provider /.test(error.message)) throw error;
    const [first = ''] = wanted.split('/');
    const rows = context.io.table.rows.filter(
      ({ name, synonyms, owns }) =>
        name === first || synonyms.includes(first) || owns.some((form) => form.test(wanted.slice(0, 256))),
    );
    const remedies = rows.map(({ name, keyVariables, keyFileVariables }) => {
      const [variable] = [...keyVariables, ...keyFileVariables];
      return variable
        ? `set ${variable} where the gateway runs, to use ${name}`
        : `name ${name} under providers: in its configuration`;
    });
    const hint = remedies.length > 0 ? ` To mend it: ${remedies.join(', or ')}.` : '';
    throw new CommandError(error.message + hint, error.exitCode);
  }
}
