import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { chat, logged, readerOf, readUntil, receiptsOf, tollgate } from './tools.ts';
import { configFor, startUpstream } from './upstream.ts';

/** A file-size limit on the running process stands for a disk that is full: the kernel refuses the write with an error. */
function limitFiles({ process: { pid } }: GatewayProcess, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
}

for (const durability of ['page-cache', 'full']) {
  test(`F1: a full disk (${durability}): what runs ends and is kept, nobody is admitted, and it comes back by itself`, async (context) => {
    const upstream = await startUpstream({ name: 'up' });
    const config = configFor(upstream, { journal: { durability } });
    // The kernel also sends a signal that would end a process that does not listen to it.
    const environment = { NODE_OPTIONS: "--import=data:text/javascript,process.on('SIGXFSZ',()=>{})" };
    const gateway = await startGateway({ config, environment });
    context.after(async () => {
      await gateway.close();
      await upstream.close();
    });
    const open = await chat(gateway, { model: 'up/held', stream: true });
    const reader = readerOf(open);
    await readUntil(reader, 'up ');

    const before = upstream.asked();
    const segment = join(gateway.dataFolder, 'journal', '000000000001.journal');
    const { size } = statSync(segment);
    limitFiles(gateway, size);
    const refused = await chat(gateway, { model: 'up/fast' });
    const { error } = (await refused.json()) as { error: { code: string } };
    assert.deepEqual([refused.status, error.code], [503, 'ledger_unavailable']);
    assert.equal(upstream.asked(), before, 'no call without its hold on the disk');

    upstream.release();
    assert.match(await readUntil(reader, '[DONE]'), /DONE/);
    const still = await chat(gateway, { model: 'up/fast' });
    assert.equal(still.status, 503);
    await still.text();
    assert.equal(statSync(segment).size, size, 'nothing of a failed write stays behind');

    limitFiles(gateway, 'unlimited');
    await logged(gateway, 'journal_writes_again');
    const served = await chat(gateway, { model: 'up/fast' });
    assert.equal(served.status, 200);
    await served.text();
    const id = open.headers.get('x-tollgate-request-id');
    assert.equal(receiptsOf(gateway.dataFolder).find((receipt) => receipt.id === id)?.ending, 'completed');
    const proved = await tollgate(['ledger', 'verify', '--url', gateway.url], {
      TOLLGATE_DATA: gateway.dataFolder,
      TOLLGATE_CONFIG: gateway.configFile,
    });
    assert.equal(proved.code, 0, proved.out + proved.err);
  });
}
