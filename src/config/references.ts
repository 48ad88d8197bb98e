// Resolves `env:` and `file:` references. Only the configuration file may hold them; what they resolve to is never printed.

import { dirname, isAbsolute, resolve, sep } from 'node:path';
import { Secret } from '../exchange/target.ts';
import type { Findings, Path } from './problems.ts';

export interface References {
  /** Undefined where the reference cannot be resolved; the findings then say why. */
  secret(text: string, path: Path): Secret | undefined;
  /** A plain text that may be a reference, such as a header's value. */
  text(text: string, path: Path): string | undefined;
  /** Files that were read, or looked for in vain, so that a change of one can be noticed. */
  readonly filesRead: readonly string[];
}

export interface ReferenceSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Throws what the file system says. */
  readonly readFile: (path: string) => string;
  readonly fileName: string;
  /** Directories that `file:` may read below, as the configuration writes them. */
  readonly directories: readonly string[] | undefined;
  /** True where an unset variable or missing file is only a warning: a check on a machine without the secrets. */
  readonly lenient: boolean;
}

const secretMaxCharacters = 64 * 1024;

export function createReferences(sources: ReferenceSources, findings: Findings): References {
  const home = dirname(resolve(sources.fileName));
  const directories = (sources.directories ?? ['/run/secrets', home]).map((directory) => resolve(home, directory));
  const filesRead: string[] = [];
  const unresolved = (path: Path, message: string): undefined => {
    if (sources.lenient) findings.warning(path, message);
    else findings.problem(path, message);
    return undefined;
  };

  function environmentValue(name: string, path: Path): string | undefined {
    const value = sources.environment[name]?.trim();
    return value ? value : unresolved(path, `the environment variable ${name} is not set`);
  }

  function fileValue(name: string, path: Path): string | undefined {
    const full = isAbsolute(name) ? resolve(name) : resolve(home, name);
    const allowed = directories.some((directory) =>
      full.startsWith(directory.endsWith(sep) ? directory : directory + sep),
    );
    if (!allowed) {
      const line = `files: [${JSON.stringify(dirname(full))}]`;
      findings.problem(
        path,
        `${full} is outside the directories that file: may read (${directories.join(', ')}); to allow it: ${line}`,
      );
      return undefined;
    }
    filesRead.push(full);
    let value: string;
    try {
      value = sources.readFile(full).trim();
    } catch (error) {
      const code = (error as { code?: string }).code ?? 'unreadable';
      return unresolved(path, `cannot read ${full} (${code})`);
    }
    if (value.length > secretMaxCharacters) return unresolved(path, `${full} is too large for a secret`);
    return value === '' ? unresolved(path, `${full} is empty`) : value;
  }

  function text(written: string, path: Path): string | undefined {
    if (written.startsWith('env:')) return environmentValue(written.slice(4).trim(), path);
    if (written.startsWith('file:')) return fileValue(written.slice(5).trim(), path);
    if (written.startsWith('secret:')) {
      findings.problem(
        path,
        'secret: references are not supported by this version; it reads env:NAME and file:/path only',
      );
      return undefined;
    }
    return written;
  }

  function secret(written: string, path: Path): Secret | undefined {
    const value = text(written, path);
    if (value === undefined) return undefined;
    if (!isReference(written)) {
      const name = variableName(written, sources.environment);
      const literal = 'a key stands in the file itself; env:NAME or file:/path keeps it out of backups and commits';
      const meant = `this reads as the name of a variable and is sent as the key itself; did you mean env:${name}?`;
      findings.warning(path, name === undefined ? literal : meant);
    }
    return new Secret(value);
  }

  return { secret, text, filesRead };
}

/** Only what is surely a name and no key, since it is repeated: `$NAME`, `${NAME}`, `A_NAME`, or a variable that is set. */
function variableName(written: string, environment: ReferenceSources['environment']): string | undefined {
  const [, dollar, name = ''] = /^(\$?)\{?([A-Z_][A-Z0-9_]*)\}?$/.exec(written) ?? [];
  const sure = dollar || /^[A-Z]+(_[A-Z]+)+(_\d)?$/.test(name) || environment[name] !== undefined;
  return name && sure ? name : undefined;
}

export function isReference(text: string): boolean {
  return /^(env|file|secret):/.test(text);
}
