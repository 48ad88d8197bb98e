// What the process needs to know at start and what a reload cannot change: addresses, places, switches.

import type { Secret } from '../exchange/target.ts';
import { Secret as SecretValue } from '../exchange/target.ts';
import type { Findings } from './problems.ts';
import { isReference, type References } from './references.ts';
import type { ConfigFile } from './schema.ts';
import { nearest } from './suggest.ts';
import { parseAddress, parseBytes, parseDuration } from './units.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where the store lives: a file, absolute or relative to the working directory, or a database that instances share. */
export type Storage =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: Secret };

export interface JournalSettings {
  readonly durability: 'page-cache' | 'full';
  readonly segmentBytes: number;
  /** Milliseconds for which a file of the journal is kept at least. */
  readonly keepMs: number;
}

export interface Settings {
  readonly listen: Address;
  /** Processes that serve it together; one needs no other to watch over it. */
  readonly workers: number;
  /** Milliseconds that exchanges in flight have once the process is told to stop. */
  readonly graceMs: number;
  /** On a host that is not loopback the control plane is off until the file asks for it. */
  readonly admin: { readonly enabled: boolean; readonly listen?: Address };
  readonly metrics: 'open' | 'token' | 'off';
  /** Journal, store, first key and admin token live below it. */
  readonly dataFolder: string;
  readonly storage: Storage;
  readonly journal: JournalSettings;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** From TOLLGATE_ADMIN_TOKEN; where absent, the one in the data folder. */
  readonly adminToken?: Secret;
  /** The built-in provider answers in play money. */
  readonly sim: boolean;
  /** True where nobody wrote a budget and 5 USD a day stands in. */
  readonly defaultBudget: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const levels = ['debug', 'info', 'warn', 'error'] as const;

export interface SettingsSources {
  readonly environment: Environment;
  readonly references: References;
  readonly findings: Findings;
}

export function readSettings(file: ConfigFile, sim: boolean, sources: SettingsSources): Settings {
  const { environment, findings } = sources;
  const dataFolder = environment.TOLLGATE_DATA?.trim() || './data';
  const listen = {
    host: environment.HOST?.trim() || file.listen?.host || '127.0.0.1',
    port: readPort(environment, findings) ?? file.listen?.port ?? 8080,
  };
  const adminListen = readAdminListen(file, findings);
  const enabled = file.admin?.enabled ?? (adminListen !== undefined || isLoopback(listen.host));
  const token = environment.TOLLGATE_ADMIN_TOKEN?.trim();
  if (token && token.length < 16) {
    findings.problem(
      [],
      'TOLLGATE_ADMIN_TOKEN must have at least 16 characters; `openssl rand -hex 32` makes a good one',
    );
  }
  const wantedMetrics = file.metrics ?? 'token';
  return {
    listen,
    workers: readWorkers(environment, findings) ?? file.workers ?? 1,
    graceMs: parseDuration(file.listen?.grace ?? '') ?? 30_000,
    admin: { enabled, ...(adminListen ? { listen: adminListen } : {}) },
    metrics: wantedMetrics === 'token' && !enabled ? 'off' : wantedMetrics,
    dataFolder,
    storage: readStorage(file, sources) ?? { kind: 'sqlite', file: `${dataFolder.replace(/\/+$/, '')}/tollgate.db` },
    journal: readJournal(file, findings),
    logLevel: readLevel(environment, findings),
    ...(token ? { adminToken: new SecretValue(token) } : {}),
    sim,
    defaultBudget: file.budgets === undefined,
  };
}

const segmentBytesMin = 1_000_000;
const segmentBytesMax = 1_000_000_000;
const hourMs = 3_600_000;

function readJournal({ journal = {} }: ConfigFile, findings: Findings): JournalSettings {
  const { durability = 'page-cache', segment_bytes: written = '64MB', keep = '30d' } = journal;
  const segmentBytes = parseBytes(written);
  if (segmentBytes === undefined || segmentBytes < segmentBytesMin || segmentBytes > segmentBytesMax)
    findings.problem(['journal', 'segment_bytes'], 'must be a size from 1MB to 1GB, such as 64MB');
  const keepMs = parseDuration(keep);
  if (keepMs === undefined || keepMs < hourMs)
    findings.problem(['journal', 'keep'], 'must be an hour at least, such as 30d');
  return { durability, segmentBytes: segmentBytes ?? segmentBytesMax, keepMs: keepMs ?? hourMs };
}

/** `localhost`, 127.0.0.0/8 and ::1. */
function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

function readPort(environment: Environment, findings: Findings): number | undefined {
  const written = environment.PORT?.trim();
  if (!written) return undefined;
  const port = Number(written);
  if (/^\d{1,5}$/.test(written) && port <= 65535) return port;
  findings.problem(
    [],
    `PORT (or --port) must be a number from 0 to 65535, and is ${JSON.stringify(written.slice(0, 40))}`,
  );
  return undefined;
}

const workersMax = 64;

function readWorkers(environment: Environment, findings: Findings): number | undefined {
  const written = environment.TOLLGATE_WORKERS?.trim();
  if (!written) return undefined;
  const workers = Number(written);
  if (/^\d{1,2}$/.test(written) && workers >= 1 && workers <= workersMax) return workers;
  findings.problem(
    [],
    `TOLLGATE_WORKERS must be a number from 1 to ${workersMax}, and is ${JSON.stringify(written.slice(0, 40))}`,
  );
  return undefined;
}

function readLevel(environment: Environment, findings: Findings): Settings['logLevel'] {
  const written = environment.LOG_LEVEL?.trim().toLowerCase();
  if (!written) return 'info';
  const level = levels.find((candidate) => candidate === written);
  if (!level) findings.problem([], `LOG_LEVEL must be one of ${levels.join(', ')}`, nearest(written, levels));
  return level ?? 'info';
}

function readAdminListen(file: ConfigFile, findings: Findings): Address | undefined {
  const written = file.admin?.listen;
  if (written === undefined) return undefined;
  const address =
    typeof written === 'string'
      ? parseAddress(written)
      : { host: written.host ?? '127.0.0.1', port: written.port ?? 8081 };
  if (!address) findings.problem(['admin', 'listen'], 'must be host:port, such as 127.0.0.1:8081');
  if (file.admin?.enabled === false) findings.problem(['admin'], 'listen has no meaning with enabled: false');
  return address;
}

function readStorage(file: ConfigFile, { references, findings }: SettingsSources): Storage | undefined {
  const path = ['storage', 'url'];
  const written = file.storage?.url;
  if (written === undefined) return undefined;
  const url = references.text(written, path);
  // Not resolved, which the findings say; where that is no error, no other store may be taken for it.
  if (url === undefined) return { kind: 'postgres', url: new SecretValue('') };
  const place = /^sqlite:(?:\/\/)?(.+)$/.exec(url)?.[1];
  if (place && place !== ':memory:') return { kind: 'sqlite', file: place };
  if (/^postgres(ql)?:\/\/./.test(url) && URL.canParse(url)) {
    if (!isReference(written) && new URL(url).password !== '') {
      findings.warning(path, 'a password stands in the file itself; env:NAME or file:/path keeps it out of commits');
    }
    return { kind: 'postgres', url: new SecretValue(url) };
  }
  findings.problem(path, 'must be sqlite:PATH, such as sqlite:./data/tollgate.db, or postgres://USER@HOST/DATABASE');
  return undefined;
}
