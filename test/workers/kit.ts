// Several workers over one data folder, and one process before and after them: what the tests of them share.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Receipt } from '../../src/exchange/receipt.ts';
import { workerNumbers } from '../../src/world/real/data-folder.ts';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { readJournal, receiptsOf } from '../lasting/tools.ts';

export interface House {
  readonly dataFolder: string;
  start(workers: number, config?: object): Promise<GatewayProcess>;
}

export function house(context: TestContext): House {
  const home = mkdtempSync(join(tmpdir(), 'tollgate-workers-'));
  const dataFolder = join(home, 'data');
  const gateways: GatewayProcess[] = [];
  context.after(async () => {
    for (const gateway of gateways) await gateway.close();
    rmSync(home, { recursive: true, force: true });
  });
  return {
    dataFolder,
    async start(workers, config = {}) {
      const gateway = await startGateway({
        config: { workers, providers: { sim: {} }, budgets: [], ...config },
        environment: { LOG_LEVEL: 'info' },
        dataFolder,
      });
      gateways.push(gateway);
      return gateway;
    },
  };
}

/** Where each process has its journal: the first as one that is alone. */
export function journalFolders(dataFolder: string): string[] {
  const more = workerNumbers(dataFolder).filter((number) => number > 1);
  return [dataFolder, ...more.map((number) => join(dataFolder, 'workers', String(number)))];
}

export function allReceipts(dataFolder: string): Receipt[] {
  return journalFolders(dataFolder).flatMap(receiptsOf);
}

export function spent(dataFolder: string): number {
  return allReceipts(dataFolder).reduce((sum, { cost }) => sum + cost, 0);
}

/** Ids of holds that nobody closed. */
export function openHolds(dataFolder: string): string[] {
  const open = new Set<string>();
  for (const folder of journalFolders(dataFolder)) {
    readJournal(folder).next((row) => {
      if (row.type === 'hold') open.add(row.id);
      else if (row.type === 'receipt') open.delete(row.receipt.id);
    });
  }
  return [...open];
}

/** The control plane, on a connection of its own, which reaches another worker each time. */
export async function ask<Answer>(
  gateway: GatewayProcess,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(gateway.url + path, {
    method,
    headers: {
      authorization: `Bearer ${gateway.adminToken}`,
      'content-type': 'application/json',
      connection: 'close',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 20));
}
