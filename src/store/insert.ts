// One receipt into its tables, once: by its id, its charges by (id, attempt), its rollups only when it was new.

import type { DatabaseSync } from 'node:sqlite';
import type { Receipt } from '../exchange/receipt.ts';
import { inputTokens, outputTokens } from '../exchange/usage.ts';

const hourMs = 3_600_000;
const dayMs = 86_400_000;

/** Sums that one receipt adds under one provider and model. */
interface Sums {
  readonly provider: string;
  readonly model: string;
  requests: number;
  failed: number;
  cost: number;
  saved: number;
  input: number;
  output: number;
  hits: number;
  misses: number;
}

export function createInsert(database: DatabaseSync): (receipt: Receipt) => void {
  const receipts = database.prepare('INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?, ?)');
  const charges = database.prepare('INSERT OR IGNORE INTO charges VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const rollups = database.prepare(`INSERT INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, failed = failed + excluded.failed,
    cost = cost + excluded.cost, saved = saved + excluded.saved, input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens, cache_hits = cache_hits + excluded.cache_hits,
    cache_misses = cache_misses + excluded.cache_misses`);

  return (receipt) => {
    const { id, keyId, ending } = receipt;
    const at = whole(receipt.at);
    const added = receipts.run(id, at, keyId, ending, whole(receipt.cost), JSON.stringify(receipt));
    if (added.changes === 0) return;
    for (const { attempt, provider, model, cost, priceVersion, estimated, status } of receipt.charges) {
      charges.run(id, attempt, provider, model, whole(cost), priceVersion, estimated ?? null, whole(status));
    }
    for (const sums of sumsOf(receipt)) {
      const { provider, model, requests, failed, cost, saved, input, output, hits, misses } = sums;
      for (const [grain, length] of [
        ['hour', hourMs],
        ['day', dayMs],
      ] as const) {
        const start = at - (at % length);
        rollups.run(grain, start, keyId, provider, model, requests, failed, cost, saved, input, output, hits, misses);
      }
    }
  };
}

/** The request counts where it was served; each charge where it was made, so that waste shows under its provider. */
function sumsOf(receipt: Receipt): Sums[] {
  const { provider, model, cost, saved, cache, ending } = receipt;
  const served: Sums = {
    provider,
    model,
    requests: 1,
    failed: ending === 'completed' ? 0 : 1,
    cost: whole(cost),
    saved: whole(saved),
    input: 0,
    output: 0,
    hits: cache === 'hit' || cache === 'semantic' ? 1 : 0,
    misses: cache === 'miss' ? 1 : 0,
  };
  const all = [served];
  for (const charge of receipt.charges) {
    let sums = all.find((each) => each.provider === charge.provider && each.model === charge.model);
    if (!sums) {
      const { provider, model } = charge;
      sums = { provider, model, requests: 0, failed: 0, cost: 0, saved: 0, input: 0, output: 0, hits: 0, misses: 0 };
      all.push(sums);
    }
    // `served` begins with the whole cost and gives away what belongs to others, so that the total stays the receipt's.
    if (sums !== served) {
      sums.cost += whole(charge.cost);
      served.cost -= whole(charge.cost);
    }
    sums.input += inputTokens(charge.usage);
    sums.output += outputTokens(charge.usage);
  }
  return all;
}

/** JSON has no NaN: it comes as null, and one bad number must not stop the reader at its row for ever. */
function whole(value: number): number {
  return Number.isFinite(value) ? Math.round(value) : 0;
}
