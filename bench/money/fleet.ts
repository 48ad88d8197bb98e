// Gateways that spend from one limit: real processes over one PostgreSQL, or a single one without; and what they say.

import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { type GatewayProcess, startGateway } from '../../test/gateway.ts';
import { type PostgresServer, startPostgres } from '../../test/postgres.ts';
import { type Oracle, prices } from './oracle.ts';

export interface Fleet {
  readonly gateways: readonly GatewayProcess[];
  readonly postgres: PostgresServer | undefined;
  /** A key that every instance knows, with no budget of its own unless one is given. */
  newKey(wants: Readonly<Record<string, unknown>>): Promise<{ id: string; key: string }>;
  admin(path: string, method?: string, body?: unknown, of?: GatewayProcess): Promise<{ status: number; json: never }>;
  close(): Promise<void>;
}

export interface FleetOptions {
  readonly instances: number;
  readonly oracle: Oracle;
  readonly budgets?: readonly Readonly<Record<string, unknown>>[];
  /** More of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export async function startFleet({ instances, oracle, budgets = [], config = {} }: FleetOptions): Promise<Fleet> {
  const postgres = instances > 1 ? await startPostgres() : undefined;
  const environment = { TOLLGATE_ADMIN_TOKEN: 'the-operator-of-the-fleet' };
  const whole = {
    providers: { oracle: oracle.provider },
    prices: { 'oracle/*': prices },
    budgets,
    ...(postgres ? { storage: { url: postgres.url } } : {}),
    ...config,
  };
  const gateways: GatewayProcess[] = [];
  // One after the other: the first one makes the tables.
  for (let count = 0; count < instances; count++) gateways.push(await startGateway({ config: whole, environment }));
  const admin: Fleet['admin'] = (path, method = 'GET', body, of = gateways[0] as GatewayProcess) =>
    ask(new URL(path, of.url), method, of.adminToken, body) as Promise<{ status: number; json: never }>;
  return {
    gateways,
    postgres,
    admin,
    async newKey(wants) {
      const { status, json } = await admin('/admin/keys', 'POST', { name: 'bench', ...wants });
      if (status !== 201) throw new Error(`no key was made: ${JSON.stringify(json)}`);
      const { id, key } = json as { id: string; key: string };
      for (const gateway of gateways) await until(async () => (await models(gateway, key)) === 200);
      return { id, key };
    },
    async close() {
      await Promise.all(gateways.map((gateway) => gateway.close()));
      await postgres?.close();
      for (const { dataFolder } of gateways) rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

/** Asks again as fast as answers come; a bench may wait by the clock, a test may not. */
export async function until(holds: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<number> {
  const startedAt = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedAt > withinMs) throw new Error(`it did not come about within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - startedAt;
}

async function models(gateway: GatewayProcess, key: string): Promise<number> {
  return (await ask(new URL('/v1/models', gateway.url), 'GET', key, undefined)).status;
}

function ask(url: URL, method: string, token: string, body: unknown): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'x-tollgate-admin': '1' };
    const asking = request(url, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, json: text ? JSON.parse(text) : undefined }),
      );
      response.on('error', reject);
    });
    asking.on('error', reject);
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
