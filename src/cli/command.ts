// What a command is, and what it may use: everything that reaches outside comes in as `io`.

import type { AdminParts } from '../admin/admin.ts';
import type { Environment } from '../config/environment.ts';
import type { ProviderTable } from '../config/provider-table.ts';

export interface Io {
  /** One line each, without its end. */
  out(line: string): void;
  error(line: string): void;
  readonly fetch: typeof fetch;
  readonly table: ProviderTable;
  readonly about: { readonly version: string; readonly node: string };
  /** Present where standard output is a terminal. */
  readonly screen?: Screen;
  /** Opens the store of a data folder; undefined where a gateway or another command has it. */
  readonly openOffline?: (place: { dataFolder: string }) => Promise<Offline | undefined>;
}

export interface Screen {
  size(): { readonly rows: number; readonly width: number };
  /** In the place of what stood there; after a second true, or false once nobody looks any more. */
  show(lines: readonly string[]): Promise<boolean>;
}

export interface Offline {
  readonly parts: AdminParts;
  close(): Promise<void>;
}

/** Asks the control plane, running or offline. Throws `CommandError`. */
export type Ask = (method: string, path: string, body?: unknown) => Promise<unknown>;

export interface Context {
  readonly io: Io;
  readonly environment: Environment;
  /** What stands behind the command's name, options taken out. */
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly json: boolean;
  readonly ask: Ask;
  /** Where the gateway is expected. */
  url(): string;
}

export interface Command {
  /** `key create`. */
  readonly name: string;
  /** What follows the name: `NAME [--budget AMOUNT]`. */
  readonly usage: string;
  readonly summary: string;
  /** Longer help: options with their meaning, examples. */
  readonly help: readonly string[];
  readonly options: Readonly<Record<string, 'string' | 'boolean'>>;
  /** How many words it takes: [least, most]. */
  readonly words: readonly [number, number];
  /** The exit code: 0 well, 1 a finding or failure, 2 wrong use. */
  readonly run: (context: Context) => Promise<number>;
}

/** A message for the person at the terminal, without a stack. */
export class CommandError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Columns padded to their widest cell; the last one is not. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
