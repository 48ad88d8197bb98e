// A provider's bill held against our books: drift by day and model, and corrections as rows of their own.

import { z } from 'zod';
import type { NanoUsd } from '../exchange/money.ts';
import type { CorrectionRow } from '../exchange/receipt.ts';
import { Refusal } from '../exchange/refusal.ts';
import type { Provider } from '../exchange/target.ts';
import { correctionOf, type Drift, driftOf, importChecksum, type OursLine, readStatement } from '../reconcile/drift.ts';
import { type Statement, StatementError } from '../reconcile/statement.ts';
import type { AdminParts } from './parts.ts';
import { ok, type Route } from './route.ts';
import { usd } from './show.ts';

const dayMs = 86_400_000;
const textMaxBytes = 32_000_000;
/** Receipts that are read to tell what was estimated; beyond them it stays untold. */
const receiptPagesMax = 100;

const wanted = z.strictObject({
  provider: z.string().min(1).describe('As the configuration names it: openai.'),
  text: z
    .string()
    .describe('The export: JSON of the usage or cost API of OpenAI or Anthropic, or CSV with named columns.'),
  apply: z.boolean().optional().describe('Write a correction for each difference; without it they are only shown.'),
});

export const reconcileRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/admin/reconcile',
    access: 'admin',
    summary: "Hold a provider's usage or cost export against the books; with apply, correct them by new rows",
    body: wanted,
    bodyMaxBytes: textMaxBytes,
    status: 200,
    answers:
      '{ kind, days, lines: [{ day, model, ours, theirs, difference, percent, estimated, … }], total, corrected }',
    handle: async (ask, parts) => {
      const { provider: name, text, apply } = ask.body as z.infer<typeof wanted>;
      const snapshot = parts.snapshot();
      const provider = snapshot.providers.get(snapshot.synonyms.get(name) ?? name);
      if (!provider) throw new Refusal('invalid_request', `No provider ${name} is configured.`, { param: 'provider' });
      const { statement, drifts, open } = await compared(parts, provider, text);
      const checksum = importChecksum(text);
      const rows = drifts.flatMap((drift) => {
        const about = { provider: provider.name, checksum, kind: statement.kind, at: parts.clock.now() };
        const row = correctionOf(drift, about);
        return row ? [{ ...row, accounts: accountsOf(parts, row) }] : [];
      });
      const corrected = apply === true ? rows.filter((row) => parts.correct(row)).length : 0;
      if (corrected > 0)
        parts.log.info('books_corrected', { provider: provider.name, rows: corrected, import: checksum });
      const sum = (of: (drift: Drift) => NanoUsd): NanoUsd => drifts.reduce((total, drift) => total + of(drift), 0);
      const [ours, theirs] = [sum((drift) => drift.ours), sum((drift) => drift.theirs)];
      return ok({
        provider: provider.name,
        kind: statement.kind,
        import: checksum,
        days: statement.days.length,
        days_not_over: open,
        lines: drifts.map(shown),
        total: { ours: usd(ours), theirs: usd(theirs), difference: usd(theirs - ours), percent: percent(ours, theirs) },
        differing: rows.length,
        corrected,
      });
    },
  },
];

async function compared(
  parts: AdminParts,
  provider: Provider,
  text: string,
): Promise<{ statement: Statement; drifts: Drift[]; open: readonly string[] }> {
  try {
    const read = readStatement(text);
    // A day that is not over is billed in parts: it would be corrected back and forth.
    const today = new Date(parts.clock.now()).toISOString().slice(0, 10);
    const open = read.days.filter((day) => day >= today);
    const statement = {
      ...read,
      days: read.days.filter((day) => day < today),
      lines: read.lines.filter((line) => line.day < today),
    };
    await parts.store.catchUp();
    const drifts = driftOf(statement, await oursOf(parts, provider, statement.days), {
      family: (model) => parts.catalogue.rowOf(provider.catalogue, model) ?? model,
      price: (model, usage, day) => parts.priceUsage({ provider, model }, usage, Date.parse(day)),
    });
    return { statement, drifts, open };
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    throw new Refusal('invalid_request', `The export cannot be used: ${error.message}.`, { param: 'text' });
  }
}

async function oursOf(parts: AdminParts, provider: Provider, days: readonly string[]): Promise<OursLine[]> {
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return [];
  const span = { from: Date.parse(first), to: Date.parse(last) + dayMs };
  const rows = await parts.store.spend({ ...span, provider: provider.name, by: ['day', 'model'] });
  const estimates = await estimatedOf(parts, provider.name, span);
  return rows.map(({ at = 0, model = '', requests, cost, inputTokens, outputTokens }) => {
    const day = new Date(at).toISOString().slice(0, 10);
    const line = { day, model, requests, cost, inputTokens, outputTokens };
    return estimates ? { ...line, estimated: estimates.get(`${day}\n${model}`) ?? 0 } : line;
  });
}

/** What of our cost rests on an estimate, by day and model; undefined where there are too many receipts to look. */
async function estimatedOf(
  parts: AdminParts,
  provider: string,
  span: { from: number; to: number },
): Promise<Map<string, NanoUsd> | undefined> {
  const sums = new Map<string, NanoUsd>();
  let before: string | undefined;
  for (let page = 0; page < receiptPagesMax; page++) {
    const receipts = await parts.store.requests({ ...span, limit: 1000, ...(before === undefined ? {} : { before }) });
    for (const { at, charges } of receipts) {
      for (const charge of charges) {
        if (charge.provider !== provider || charge.estimated === undefined) continue;
        const key = `${new Date(at).toISOString().slice(0, 10)}\n${charge.model}`;
        sums.set(key, (sums.get(key) ?? 0) + charge.cost);
      }
    }
    if (receipts.length < 1000) return sums;
    before = receipts.at(-1)?.id;
  }
  return undefined;
}

/**
 * The budgets that the whole provider or model counts against, where the window of the day still stands. Those of keys
 * cannot be told from a bill. Over several instances accounts are slices of one bank: there the reports alone change.
 */
function accountsOf(
  parts: AdminParts,
  row: Pick<CorrectionRow, 'day' | 'provider' | 'model'>,
): CorrectionRow['accounts'] {
  if (parts.ledger.shared) return [];
  const scopes = new Set(['global', `provider:${row.provider}`, `model:${row.provider}/${row.model}`]);
  const start = Date.parse(row.day);
  return parts.ledger
    .standing()
    .accounts.filter(({ scope, window }) => scopes.has(scope) && startOf(window) <= start)
    .map(({ scope, window }) => ({ scope, window }));
}

function startOf(window: string): number {
  return window === 'lifetime' ? 0 : Date.parse(window.slice(window.lastIndexOf('/') + 1));
}

function shown(drift: Drift): Record<string, unknown> {
  const { day, model, requests, ours, theirs, estimated, inputTokens, outputTokens } = drift;
  return {
    day,
    model,
    requests,
    ours: usd(ours),
    theirs: usd(theirs),
    difference: usd(theirs - ours),
    difference_nano_usd: theirs - ours,
    percent: percent(ours, theirs),
    estimated: estimated === undefined ? null : usd(estimated),
    input_tokens: { ours: inputTokens[0], theirs: inputTokens[1] ?? null },
    output_tokens: { ours: outputTokens[0], theirs: outputTokens[1] ?? null },
  };
}

/** Of their amount, to two digits; null where they have none. */
function percent(ours: NanoUsd, theirs: NanoUsd): number | null {
  return theirs === 0 ? null : Math.round((10_000 * (theirs - ours)) / theirs) / 100;
}
