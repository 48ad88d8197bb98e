// A batch of the journal's rows into the tables, each row once: by its id, its sums only where it was new.

import type { CorrectionRow, Ending } from '../exchange/receipt.ts';
import type { Session, Value } from './database.ts';
import type { Received } from './received.ts';
import { correctionsTable, receiptsTable, rollupsTable } from './tables.ts';

const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** Of a name that is part of a key: PostgreSQL takes 2,700 bytes for a whole key. */
const nameLengthMax = 200;

export interface Batch {
  readonly receipts: readonly Received[];
  readonly corrections: readonly CorrectionRow[];
}

export async function post(session: Session, { receipts, corrections }: Batch): Promise<void> {
  const sums = createSums();
  if (receipts.length > 0) {
    const rows = receipts.map(({ id, at, keyId, ending, body }) => [
      label(id),
      whole(at),
      label(keyId),
      ending === 'completed' ? ending : label(ending),
      body,
    ]);
    const known = await session.add(receiptsTable, rows);
    receipts.forEach((receipt, index) => {
      if (!known.has(index)) sums.receipt(receipt);
    });
  }
  if (corrections.length > 0) {
    const rows = corrections.map((row) => {
      const { id, at, provider, model, amount } = row;
      return [label(id), whole(at), dayOf(row), label(provider), label(model), whole(amount), JSON.stringify(row)];
    });
    const known = await session.add(correctionsTable, rows);
    const keyOf = await keysOf(session, corrections);
    corrections.forEach((row, index) => {
      if (!known.has(index)) sums.correction(row, keyOf(row));
    });
  }
  await session.sum(rollupsTable, sums.rows());
}

/** Neither a client that left, nor what was refused, cut or killed on purpose. */
const failures: ReadonlySet<Ending> = new Set(['failed', 'timed-out', 'crashed']);

type Counts = [
  requests: number,
  failed: number,
  cost: number,
  saved: number,
  inputTokens: number,
  outputTokens: number,
  cacheHits: number,
  cacheMisses: number,
];

interface Sums {
  /** Start of the hour. */
  readonly at: number;
  readonly names: readonly [keyId: string, provider: string, model: string];
  readonly counts: Counts;
}

/**
 * Added up in memory before the tables see it: a batch of 5,000 receipts touches some dozen rows, and one upsert each
 * instead of two a receipt spares 10 µs of CPU a request.
 */
function createSums() {
  // By key alone: to look up a text that was just put together of all four costs more: V8 interns it first.
  const byKey = new Map<string, Sums[]>();
  let last: Sums | undefined;
  const under = (at: number, keyId: string, provider: string, model: string): Counts => {
    const hour = at - (at % hourMs);
    const same = ({ at, names }: Sums): boolean =>
      at === hour && names[2] === model && names[1] === provider && names[0] === keyId;
    // Mostly it is the one of a moment ago: a receipt's charge is where it was served, and requests come in runs.
    if (last && same(last)) return last.counts;
    let list = byKey.get(keyId);
    if (!list) {
      list = [];
      byKey.set(keyId, list);
    }
    last = list.find(same);
    if (!last) {
      last = { at: hour, names: [keyId, provider, model], counts: [0, 0, 0, 0, 0, 0, 0, 0] };
      list.push(last);
    }
    return last.counts;
  };

  return {
    /** The request counts where it was served; each charge where it was made, so that waste shows under its provider. */
    receipt({ at, keyId, provider, model, ending, cost, saved, cache, charges }: Received): void {
      const served = under(whole(at), keyId, provider, model);
      served[0] += 1;
      if (failures.has(ending)) served[1] += 1;
      served[2] += whole(cost);
      served[3] += whole(saved);
      if (cache === 'hit' || cache === 'semantic') served[6] += 1;
      if (cache === 'miss') served[7] += 1;
      for (const charge of charges) {
        const sums = under(whole(at), keyId, charge.provider, charge.model);
        // `served` has the whole cost and gives away what belongs to others, so that the total stays the receipt's.
        sums[2] += whole(charge.cost);
        served[2] -= whole(charge.cost);
        sums[4] += whole(charge.inputTokens);
        sums[5] += whole(charge.outputTokens);
      }
    },
    correction(row: CorrectionRow, keyId: string): void {
      under(dayOf(row), keyId, row.provider, row.model)[2] += whole(row.amount);
    },
    /** In one order whoever writes them: two instances must not wait for each other's rows. */
    rows(): Value[][] {
      const hours = [...byKey.values()].flat().map(({ at, names: [keyId, provider, model], counts }): Sums => {
        return { at, names: [label(keyId), label(provider), label(model)], counts };
      });
      hours.sort(({ at, names: [a, b, c] }, { at: otherAt, names: [x, y, z] }) => {
        if (a !== x) return a < x ? -1 : 1;
        if (b !== y) return b < y ? -1 : 1;
        if (c !== z) return c < z ? -1 : 1;
        return at - otherAt;
      });
      return [...rowsOf('day', dayMs, hours), ...rowsOf('hour', hourMs, hours)];
    },
  };
}

/** One row for each that stands one after another in the same span; names that were cut may be the same as well. */
function rowsOf(grain: string, spanMs: number, hours: readonly Sums[]): Value[][] {
  const rows: Value[][] = [];
  for (const { at, names, counts } of hours) {
    const start = at - (at % spanMs);
    const row = rows.at(-1);
    if (row && row[1] === start && names.every((name, index) => row[index + 2] === name))
      counts.forEach((count, index) => {
        row[index + 5] = Number(row[index + 5]) + count;
      });
    else rows.push([grain, start, ...names, ...counts]);
  }
  return rows;
}

/** Which key a correction belongs to: the one it names, or the corrected exchange's; none for a whole day. */
async function keysOf(
  session: Session,
  corrections: readonly CorrectionRow[],
): Promise<(row: CorrectionRow) => string> {
  const ofReceipt = new Map<string, string>();
  for (const { receipt } of corrections) {
    if (receipt === undefined || ofReceipt.has(receipt)) continue;
    const [row] = await session.all('SELECT key_id FROM receipts WHERE id = ?', [label(receipt)]);
    ofReceipt.set(receipt, String(row?.key_id ?? ''));
  }
  return ({ receipt, accounts }) =>
    accounts.find(({ scope }) => scope.startsWith('key:'))?.scope.slice('key:'.length) ??
    ofReceipt.get(receipt ?? '') ??
    '';
}

function dayOf({ day, at }: CorrectionRow): number {
  const start = whole(Date.parse(`${day}T00:00:00Z`));
  return start > 0 ? start : whole(at) - (whole(at) % dayMs);
}

/** A name that every database takes: one that it refuses would stop the reader at its row for ever. */
function label(name: string): string {
  const short = name.length > nameLengthMax ? name.slice(0, nameLengthMax) : name;
  return short.isWellFormed() && !short.includes('\0') ? short : short.toWellFormed().replaceAll('\0', '\ufffd');
}

/** JSON has no NaN: it comes as null, and one bad number must not stop the reader either. */
function whole(value: number): number {
  if (!Number.isFinite(value)) return 0;
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Math.round(value)));
}
