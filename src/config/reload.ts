// Notices that the configuration changed on disk and swaps it in; a bad file leaves the last good one in place.

import { realpathSync, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Cancel, Clock, Log } from '../world/world.ts';
import type { Loaded } from './config.ts';
import { ConfigError, formatProblem } from './problems.ts';
import type { Settings } from './settings.ts';

export interface ReloadParts {
  /** Need not be there yet. */
  readonly fileName: string;
  readonly first: FirstLoad;
  /** Reads everything anew; throws `ConfigError`. */
  readonly load: () => Loaded;
  /** Called with each new good configuration; swaps one reference. */
  readonly apply: (loaded: Loaded) => void;
  readonly clock: Pick<Clock, 'after' | 'every'>;
  readonly log: Log;
  /** How often the file is looked at, ms: network file systems and bind mounts send no events. */
  readonly pollMs?: number;
  /** An editor writes in several steps; the last one counts, ms. */
  readonly settleMs?: number;
}

export interface Reload {
  /** Loads now, whatever the file's dates say (SIGHUP). False where it was refused. */
  reload(cause: string): boolean;
  close(): void;
}

/** What stood where at the last load: path to identity, size and date. */
type Sight = ReadonlyMap<string, string>;

export interface FirstLoad {
  readonly loaded: Loaded;
  readonly seen: Sight;
}

/** Between this and the watch an installation is opened, which may take seconds: what is written meanwhile is a change. */
export function firstLoad(fileName: string, load: () => Loaded): FirstLoad {
  const before = look([resolve(fileName)]);
  const loaded = load();
  return { loaded, seen: withFiles(before, loaded.filesRead) };
}

export function createReload(parts: ReloadParts): Reload {
  let current = parts.first.loaded;
  let pending: Cancel | undefined;
  let { seen } = parts.first;

  function reload(cause: string): boolean {
    pending?.();
    pending = undefined;
    // Looked at before the read: a write in between is then one more change and not a lost one.
    const before = look([resolve(parts.fileName), ...current.filesRead]);
    try {
      const next = parts.load();
      seen = withFiles(before, next.filesRead);
      parts.apply(next);
      report(current, next, cause, parts.log);
      current = next;
      return true;
    } catch (error) {
      // A secret that was missing, or not yet whole, may come after the file that names it.
      seen = error instanceof ConfigError ? withFiles(before, error.filesRead) : before;
      refuse(error, current.snapshot.version, parts.log);
      return false;
    }
  }

  function check(): void {
    if (pending || same(seen, look([...seen.keys()]))) return;
    pending = parts.clock.after(parts.settleMs ?? 200, () => reload('file changed'));
  }

  const cancelPoll = parts.clock.every(parts.pollMs ?? 5000, check);
  const closeWatch = watchFolder(parts.fileName, check);
  return {
    reload,
    close: () => {
      pending?.();
      cancelPoll();
      closeWatch?.();
    },
  };
}

/** The real path is a part of it: a Kubernetes volume swaps a symlink, and dates and sizes may stay the same. */
function look(paths: readonly string[]): Sight {
  return new Map(paths.map((path) => [path, sightOf(path)]));
}

function withFiles(before: Sight, filesRead: readonly string[]): Sight {
  return new Map([...look(filesRead), ...before]);
}

function sightOf(path: string): string {
  try {
    const real = realpathSync(path);
    const stat = statSync(real, { bigint: true });
    return `${real} ${stat.ino} ${stat.size} ${stat.mtimeNs}`;
  } catch {
    return 'missing';
  }
}

function same(one: Sight, other: Sight): boolean {
  return [...one].every(([path, sight]) => other.get(path) === sight);
}

/** Watches the folder, not the file: editors and Kubernetes replace it, and a watch would stay on the old one. */
function watchFolder(fileName: string, check: () => void): (() => void) | undefined {
  try {
    const watcher = watch(dirname(resolve(fileName)), { persistent: false }, () => check());
    // The folder may vanish or the watches run out: the poll goes on alone.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return undefined;
  }
}

function report(before: Loaded, next: Loaded, cause: string, log: Log): void {
  for (const warning of next.warnings) {
    log.warn('config_warning', { line: warning.line, key: warning.key, reason: warning.message });
  }
  const restart = restartNeeded(before.settings, next.settings);
  if (restart.length > 0) log.warn('config_needs_restart', { settings: restart.join(', ') });
  log.info('config_loaded', { version: next.snapshot.version, cause });
}

/** Addresses and places are taken once, at start. */
function restartNeeded(before: Settings, next: Settings): string[] {
  const fixed = ['listen', 'admin', 'metrics', 'dataFolder', 'storage', 'journal', 'workers'] as const;
  return fixed.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(next[name]));
}

function refuse(error: unknown, kept: string, log: Log): void {
  if (!(error instanceof ConfigError)) {
    log.error('config_refused', { reason: error instanceof Error ? error.message : String(error), kept });
    return;
  }
  for (const problem of error.problems) {
    const reason = formatProblem(problem, error.fileName);
    log.error('config_refused', { line: problem.line, key: problem.key, reason, kept });
  }
}
