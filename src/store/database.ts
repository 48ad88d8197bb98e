// The store's database as its queries see it: one small port that SQLite and PostgreSQL fill.

export type Value = string | number | null;
/** Columns by name: text, or whole numbers below 2^53. */
export type Row = Readonly<Record<string, unknown>>;

export interface Table {
  readonly name: string;
  /** In the order of the values of a row. */
  readonly columns: Readonly<Record<string, 'text' | 'whole'>>;
  readonly key: readonly string[];
}

/** Texts are SQL that both understand, with `?` for each value. */
export interface Session {
  all(text: string, values?: readonly Value[]): Promise<readonly Row[]>;
  /** How many rows it changed. */
  run(text: string, values?: readonly Value[]): Promise<number>;
  /** Adds the rows whose key is not there yet; answers which were, by their place in `rows`. The first column is the key. */
  add(table: Table, rows: readonly (readonly Value[])[]): Promise<ReadonlySet<number>>;
  /** Adds every whole number that is no key to the one that stands under the key. Each key once. */
  sum(table: Table, rows: readonly (readonly Value[])[]): Promise<void>;
}

export interface Database extends Session {
  readonly dialect: 'sqlite' | 'postgres';
  /** All or nothing; what `work` throws undoes it. */
  transaction<Answer>(work: (session: Session) => Promise<Answer>): Promise<Answer>;
  close(): Promise<void>;
}

/** Another record has the name, or the key, that this one wants. */
export class Taken extends Error {}

/** No try again will mend it: the schema is newer than this version knows. */
export class Unusable extends Error {}

export function upsertTail({ columns, key, name }: Table): string {
  const sums = Object.keys(columns)
    .filter((column) => !key.includes(column) && columns[column] === 'whole')
    .map((column) => `${column} = ${name}.${column} + excluded.${column}`);
  return `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${sums.join(', ')}`;
}
