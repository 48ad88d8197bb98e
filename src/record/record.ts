// What the gateway tells of itself: metrics under the contract's names, and a line in the log for what went wrong.

import type { Balance } from '../exchange/hold.ts';
import { formatUsd } from '../exchange/money.ts';
import type { Charge, Receipt } from '../exchange/receipt.ts';
import { type Level, type RefusalCode, refusals } from '../exchange/refusal.ts';
import { inputTokens, outputTokens } from '../exchange/usage.ts';
import type { World } from '../world/world.ts';
import { createCounter, createHistogram, type Labels, labelSetsMax, renderGauge } from './metric.ts';

export interface Recorder {
  /** An exchange began; `write` ends it. */
  begin(): void;
  /** Never throws, never blocks. */
  write(receipt: Receipt): void;
  /** Refused before anybody was identified: counted, and in no journal. */
  refused(code: RefusalCode): void;
  /** Prometheus text, version 0.0.4. */
  metrics(balances: readonly Balance[], health: readonly { provider: string; up: boolean }[]): string;
}

const slow = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 600];
const quick = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5];

export function createRecord(world: Pick<World, 'log'>): Recorder {
  const { log } = world;
  const requests = createCounter('llm_proxy_request_total', 'Exchanges that ended.');
  const cost = createCounter('llm_proxy_cost_total', 'USD charged by providers.', formatUsd);
  const input = createCounter('llm_proxy_token_count_input_total', 'Tokens sent to providers, cached ones included.');
  const output = createCounter('llm_proxy_token_count_output_total', 'Tokens that came back, reasoning included.');
  const saved = createCounter('llm_proxy_saved_total', 'USD that were not spent.', formatUsd);
  const refused = createCounter('llm_proxy_refused_total', 'Requests refused before a caller was known.');
  const latency = createHistogram('llm_proxy_latency_seconds', 'Arrival to the end of the answer.', slow);
  const firstToken = createHistogram('llm_proxy_time_to_first_token_seconds', 'Arrival to the first content.', slow);
  const overhead = createHistogram('llm_proxy_overhead_seconds', 'Time spent on neither provider nor client.', quick);
  const all = [requests, cost, input, output, saved, refused, latency, firstToken, overhead];
  let inflight = 0;

  const labels = createLabels();

  const measure = (receipt: Receipt): void => {
    const { model, provider } = servedBy(receipt);
    requests.add(labels.ofRequest(receipt, provider, model), 1);
    let rest = receipt.cost;
    for (const charge of receipt.charges) {
      const by = labels.ofModel(charge.provider, isAnswer(charge) || charge.cost > 0 ? charge.model : '');
      rest -= charge.cost;
      if (charge.cost !== 0) cost.add(by, charge.cost);
      input.add(by, inputTokens(charge.usage));
      output.add(by, outputTokens(charge.usage));
    }
    // The counter is the sum of receipts, also where a receipt says more than its charges.
    if (rest !== 0) cost.add(labels.ofModel(provider, model), rest);
    if (receipt.saved > 0) saved.add({ by: savedBy(receipt) }, receipt.saved);
    const by = labels.of(provider);
    latency.observe(by, receipt.durationMs / 1000);
    overhead.observe(noLabels, receipt.overheadMs / 1000);
    if (receipt.firstByteMs > 0) firstToken.observe(by, receipt.firstByteMs / 1000);
  };

  return {
    begin() {
      inflight += 1;
    },
    write(receipt) {
      inflight = Math.max(0, inflight - 1);
      try {
        measure(receipt);
        tell(log, receipt);
      } catch (error) {
        log.error('record_failed', { id: receipt.id, error: String(error) });
      }
    },
    refused: (code) => refused.add({ code }, 1),
    metrics(balances, health) {
      const named = balances.filter((balance) => balance.named);
      const left = tightestEach(named).map(([scope, nano]): [Labels, string] => [{ scope }, formatUsd(nano)]);
      const up = health.map(({ provider, up }): [Labels, string] => [{ provider }, up ? '1' : '0']);
      return [
        ...all.map((metric) => metric.render()),
        renderGauge('llm_proxy_inflight', 'Exchanges under way.', [[{}, String(inflight)]]),
        renderGauge('llm_proxy_budget_remaining', 'USD left of a named budget, the tightest window.', left),
        renderGauge('llm_proxy_upstream_health', '1 while a provider answers.', up),
      ].join('');
    },
  };
}

/** A name becomes a label only where a provider answered under it: clients invent names, providers do not. */
function servedBy(receipt: Receipt): { model: string; provider: string } {
  const { provider, model, status } = receipt;
  const answered = receipt.charges.some((charge) => charge.provider === provider && isAnswer(charge));
  return { model: answered || (provider && status === 200) ? model : '', provider };
}

const noLabels: Labels = {};

/** What was made for one model of a provider: its labels, and those of its requests by status and cache. */
interface Served {
  readonly labels: Labels;
  readonly requests: Map<number, Labels>;
}

/**
 * The same object for the same names, as often as not: metrics find their sums by it. Found name by name, since a text of
 * several would be put together and hashed anew each time. Forgotten whole when there are too many.
 */
function createLabels() {
  const providers = new Map<string, { readonly labels: Labels; readonly models: Map<string, Served> }>();
  let size = 0;
  const make = <Key, Value>(known: Map<Key, Value>, key: Key, value: Value): Value => {
    if (++size > labelSetsMax) {
      providers.clear();
      size = 0;
    }
    known.set(key, value);
    return value;
  };
  const providerOf = (provider: string) =>
    providers.get(provider) ?? make(providers, provider, { labels: { provider }, models: new Map<string, Served>() });
  const servedOf = (provider: string, model: string): Served => {
    const { models } = providerOf(provider);
    return models.get(model) ?? make(models, model, { labels: { model, provider }, requests: new Map() });
  };
  return {
    of: (provider: string): Labels => providerOf(provider).labels,
    ofModel: (provider: string, model: string): Labels => servedOf(provider, model).labels,
    ofRequest({ cache, status }: Receipt, provider: string, model: string): Labels {
      const hit = cache === 'hit' || cache === 'semantic';
      const { requests } = servedOf(provider, model);
      const key = hit ? -status : status;
      return (
        requests.get(key) ?? make(requests, key, { model, provider, cache_hit: String(hit), status: String(status) })
      );
    },
  };
}

function isAnswer({ status }: Charge): boolean {
  return status >= 200 && status < 300;
}

function savedBy({ cache }: Receipt): string {
  if (cache === 'hit') return 'cache';
  return cache === 'semantic' ? 'semantic_cache' : 'provider_cache';
}

/** As many as a metric may have, the tightest first: budgets come through an API too. */
function tightestEach(balances: readonly Balance[]): [string, number][] {
  const least = new Map<string, number>();
  for (const { scope, available } of balances) {
    least.set(scope, Math.min(least.get(scope) ?? Number.POSITIVE_INFINITY, available));
  }
  const all = [...least];
  return all.length <= labelSetsMax ? all : all.sort((one, other) => one[1] - other[1]).slice(0, labelSetsMax);
}

/** No text of client or provider is in here but names that the operator wrote or a provider answered under. */
function tell(log: World['log'], receipt: Receipt): void {
  const level = levelOf(receipt);
  if (level === 'debug' && !log.debugs) return;
  const { id, keyId, provider, ending, status, code, charges, estimated } = receipt;
  const failure = charges.findLast((charge) => charge.failure !== undefined)?.failure;
  const fields = {
    id,
    key: keyId,
    provider,
    model: servedBy(receipt).model,
    ending,
    status,
    code,
    failure: failure?.slice(0, 200),
    attempts: charges.length,
    cost_usd: formatUsd(receipt.cost),
    estimated,
    duration_ms: receipt.durationMs,
  };
  log[level](ending === 'completed' ? 'exchange' : 'exchange_failed', fields);
}

function levelOf({ ending, code }: Receipt): Level {
  if (ending === 'completed') return 'debug';
  return Object.hasOwn(refusals, code) ? refusals[code as RefusalCode].level : 'warn';
}
