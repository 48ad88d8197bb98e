// How a command reaches the control plane: over HTTP with the admin token, or in this process with --offline.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askAdmin } from '../admin/admin.ts';
import type { Environment } from '../config/environment.ts';
import { findConfigFile, loadConfigFile } from '../config/file.ts';
import { ConfigError } from '../config/problems.ts';
import type { Settings } from '../config/settings.ts';
import { Refusal } from '../exchange/refusal.ts';
import { type Ask, CommandError, type Io } from './command.ts';
import { isInUse } from './lock.ts';

export interface Place {
  readonly config?: string;
  readonly url?: string;
  readonly offline: boolean;
}

/** The settings that the gateway of this folder would start with; secrets need not be there. */
function settingsOf(place: Place, environment: Environment, io: Io): Settings {
  const fileName = findConfigFile({ environment, ...(place.config ? { named: place.config } : {}) });
  try {
    return loadConfigFile(fileName, environment, io.table, true).settings;
  } catch (error) {
    // Nobody who has to end a request now should first have to mend a file: the gateway serves on with the last good one.
    if (!(error instanceof ConfigError) || place.config !== undefined || place.offline) throw error;
    if (!warned.has(io))
      io.error(`${error.message}\ntollgate: going on without this file; --url says where the gateway is`);
    warned.add(io);
    return loadConfigFile(undefined, environment, io.table, true).settings;
  }
}

/** Told once a command. */
const warned = new WeakSet<Io>();

export function gatewayUrl(place: Place, environment: Environment, io: Io): string {
  if (place.url) {
    const url = URL.parse(place.url);
    if (url && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '');
    throw new CommandError(`--url must be an address such as http://127.0.0.1:8080, and is ${place.url}`, 2);
  }
  const settings = settingsOf(place, environment, io);
  const { host, port } = settings.admin.listen ?? settings.listen;
  const reachable =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${reachable}:${port}`;
}

export function createAsk(place: Place, environment: Environment, io: Io): Ask {
  return place.offline ? offlineAsk(place, environment, io) : onlineAsk(place, environment, io);
}

function onlineAsk(place: Place, environment: Environment, io: Io): Ask {
  return async (method, path, body) => {
    const url = gatewayUrl(place, environment, io);
    const headers: Record<string, string> = { authorization: `Bearer ${adminToken(place, environment, io)}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    let response: Response;
    let text: string;
    try {
      // Never followed: the token must not travel to where somebody else points.
      response = await io.fetch(url + path, {
        method,
        headers,
        redirect: 'manual',
        signal: AbortSignal.timeout(30_000),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch (error) {
      throw new CommandError(`no gateway answers at ${url} (${causeOf(error)}); ${elsewhere(place, environment, io)}`);
    }
    const answer = parsed(text);
    if (response.ok && answer !== undefined) return answer;
    if (response.status === 404 && text.includes('There is nothing at'))
      throw new CommandError(
        `${url} has no control plane: beyond 127.0.0.1 it is off unless the file says admin: { enabled: true }; ` +
          'where it has an address of its own (admin: { listen: ... }), --url says which',
      );
    const message = (answer as { error?: { message?: string } } | undefined)?.error?.message;
    throw new CommandError(message ?? `${url} answered ${response.status}, and not as a Tollgate control plane`);
  };
}

/** What to do where nobody answers: the gateway of this folder may have been started on another port. */
function elsewhere(place: Place, environment: Environment, io: Io): string {
  const begin = 'start one with: tollgate start';
  if (place.url) return begin;
  const { dataFolder } = settingsOf(place, environment, io);
  if (!isInUse(dataFolder)) return begin;
  return `a gateway uses ${dataFolder} at another address: give it with --url, or the PORT and HOST that it was started with`;
}

function offlineAsk(place: Place, environment: Environment, io: Io): Ask {
  return async (method, path, body) => {
    if (!io.openOffline) throw new CommandError('--offline is not possible here');
    const { dataFolder } = settingsOf(place, environment, io);
    // It would be made, and a typo answered with zeros.
    if (!existsSync(join(dataFolder, 'journal')))
      throw new CommandError(
        `there is no data in ${dataFolder}; run this where the data folder is, or set TOLLGATE_DATA to it`,
      );
    const opened = await io.openOffline({ dataFolder });
    if (!opened) throw new CommandError(`${dataFolder} is in use by a running gateway; leave out --offline to ask it`);
    try {
      return await askAdmin(opened.parts, method, path, body);
    } catch (error) {
      if (error instanceof Refusal) throw new CommandError(error.message);
      throw error;
    } finally {
      await opened.close();
    }
  };
}

function adminToken(place: Place, environment: Environment, io: Io): string {
  const own = environment.TOLLGATE_ADMIN_TOKEN?.trim();
  if (own) return own;
  const file = join(settingsOf(place, environment, io).dataFolder, 'admin-token');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'unreadable';
    throw new CommandError(`no admin token: set TOLLGATE_ADMIN_TOKEN, or run this where ${file} is readable (${code})`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = (cause as { code?: unknown }).code;
  return typeof code === 'string' ? code : cause instanceof Error ? cause.message : String(cause);
}
