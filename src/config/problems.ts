// What is wrong with a configuration, said so that a person finds the place and the cure.

export interface Problem {
  /** 1-based; 0 where no file is at fault (an environment variable). */
  readonly line: number;
  readonly column: number;
  /** Dotted path of the key: `providers.openai.api_key`, `budgets[0].limit`. Empty for the file as a whole. */
  readonly key: string;
  readonly message: string;
  /** A word or line that would do. */
  readonly suggestion?: string;
}

export type Path = readonly (string | number)[];

/** Thrown by the loader, with every problem found and not only the first. */
export class ConfigError extends Error {
  readonly fileName: string;
  readonly problems: readonly Problem[];
  /** Secret files that were read or looked for: one of them may mend it. */
  readonly filesRead: readonly string[];

  constructor(fileName: string, problems: readonly Problem[], filesRead: readonly string[] = []) {
    super(
      inOrder(problems)
        .map((problem) => formatProblem(problem, fileName))
        .join('\n'),
    );
    this.fileName = fileName;
    this.problems = inOrder(problems);
    this.filesRead = filesRead;
  }
}

/** As they stand in the file: they are found section by section. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((one, other) => one.line - other.line || one.column - other.column);
}

/** `tollgate.yaml:12: providers.openai.api_ky: unknown key; did you mean api_key?`; of a variable, `tollgate: PORT must …`. */
export function formatProblem(problem: Problem, fileName: string): string {
  const ofVariable = problem.line === 0 && problem.key === '' && /^[A-Z][A-Z_]+ /.test(problem.message);
  const file = ofVariable ? 'tollgate' : fileName;
  const place = problem.line > 0 ? `${file}:${problem.line}` : file;
  const key = problem.key ? `${problem.key}: ` : '';
  const suggestion = problem.suggestion ? `; did you mean ${problem.suggestion}?` : '';
  return `${place}: ${key}${problem.message}${suggestion}`;
}

function keyOf(path: Path): string {
  let key = '';
  for (const step of path) {
    if (typeof step === 'number') key += `[${step}]`;
    else {
      const name = /^[\w*-]+$/.test(step) ? step : JSON.stringify(step);
      key += key === '' ? name : `.${name}`;
    }
  }
  return key;
}

/** Gathers problems while a file is read; `at` turns a path into its place in the file. */
export interface Findings {
  problem(path: Path, message: string, suggestion?: string): void;
  warning(path: Path, message: string): void;
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

export function createFindings(locate: (path: Path) => { line: number; column: number }): Findings {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const make = (path: Path, message: string, suggestion?: string): Problem => ({
    ...locate(path),
    key: keyOf(path),
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  return {
    problems,
    warnings,
    problem: (path, message, suggestion) => void problems.push(make(path, message, suggestion)),
    warning: (path, message) => void warnings.push(make(path, message)),
  };
}
