// The shape of tollgate.yaml, as one schema: the loader validates by it and the editors' JSON schema is generated from it.

import { z } from 'zod';
import { durationForm } from './units.ts';

const secret = z
  .string()
  .min(1)
  .describe('A secret: `env:NAME`, `file:/path` (under a directory in `files`), or, with a warning, the value itself.');

const duration = z.string().regex(durationForm, 'write a duration with its unit: 500ms, 30s, 2m, 1h');

const modelName = z
  .string()
  .regex(/^[^\s/]+\/\S+$/, 'write it as provider/model, for example openai/gpt-4o')
  .describe('provider/model');

const address = z
  .union([
    z.string().describe('host:port'),
    z.strictObject({ host: z.string().min(1).optional(), port: z.int().min(0).max(65535).optional() }),
  ])
  .describe('host:port, or { host, port }.');

const timeouts = z
  .strictObject({
    connect: duration.optional().describe('Until the connection stands.'),
    first_byte: duration.optional().describe('Until the first byte of the answer.'),
    idle: duration.optional().describe('Between two chunks of a stream.'),
    total: duration.optional().describe('The whole attempt.'),
  })
  .describe('How long to wait for the provider, each with its unit.');

const provider = z
  .strictObject({
    api_key: z
      .union([secret, z.array(secret).min(1)])
      .optional()
      .describe('One key, or a list that is used in turn. Absent: the usual environment variable of the provider.'),
    base_url: z
      .string()
      .optional()
      .describe('Where it listens, with its version path: https://eu.example.com/v1. One for each provider.'),
    format: z
      .enum(['openai-chat', 'anthropic-messages', 'gemini-generate'])
      .optional()
      .describe('The wire format. Needed, with base_url, where the name is not one that Tollgate knows.'),
    auth: z
      .enum(['bearer', 'x-api-key', 'x-goog-api-key', 'api-key', 'none'])
      .optional()
      .describe('How the key is sent; by default as the format has it.'),
    headers: z
      .record(z.string(), z.string())
      .optional()
      .describe('Fixed headers for every request; values may be env: or file: references.'),
    timeouts: timeouts.optional(),
    settings: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .optional()
      .describe('What only this provider needs, such as api_version, project or location.'),
    owns: z
      .array(z.string().regex(/^[\w.:/@-]+\*?$/, 'a model name, or the start of one and *'))
      .optional()
      .describe('Bare model names that go to this provider: llama-*'),
    free: z.boolean().optional().describe('true: its models cost nothing. Never assumed.'),
    billing: z
      .strictObject({
        abort_stops: z
          .boolean()
          .optional()
          .describe(
            'Whether it bills no further once the connection is closed. false: what is cut is heard to its end.',
          ),
        low_water: z
          .int()
          .min(1)
          .max(100_000)
          .optional()
          .describe('Output tokens that may be on their way when a stream is cut; a top-up is asked for before.'),
      })
      .optional()
      .describe('How it bills what is cut. Without it a provider of your own is taken for one that bills to the end.'),
  })
  .nullable();

const target = z.union([
  modelName,
  z.strictObject({
    model: modelName,
    weight: z.number().min(0).max(1_000_000).optional().describe('Share of the traffic with strategy: weighted; 1.'),
    timeout: duration.optional().describe('The whole attempt at this target.'),
  }),
]);

const alias = z.strictObject({
  targets: z.array(target).min(1).describe('Where requests for this name go; order matters with failover.'),
  strategy: z
    .enum(['failover', 'weighted', 'cheapest'])
    .optional()
    .describe('failover (default): in order; weighted: by weight; cheapest: by price of the request at hand.'),
});

const period = z.enum(['minute', 'hour', 'day', 'week', 'month', 'lifetime']);

const amount = z.union([z.string(), z.number()]).describe('USD: 20 USD, $0.50 or 20.');

const scope = z
  .string()
  .describe(
    'global, org:ID, team:ID, user:NAME, service:EMAIL, key:ID, end_user:NAME, tag:NAME=VALUE, run:ID, model:PROVIDER/MODEL or provider:NAME; * for each one.',
  );

const budget = z.strictObject({
  scope,
  limit: amount,
  per: period,
  timezone: z.string().optional().describe('IANA zone in which windows begin; UTC.'),
  alert_at: z
    .array(z.union([z.string(), z.number()]))
    .optional()
    .describe('Shares of the limit that are reported when they are passed: 50%, 0.8.'),
  soft: z.boolean().optional().describe('true: reported when it is passed (alert_at; 100%), and never in the way.'),
  on_exhausted: z
    .enum(['error', 'finish'])
    .optional()
    .describe(
      'How a stream ends that this budget cuts: with an error that client libraries raise (the default), or as if its ' +
        'output limit had been reached. Inside the arguments of a tool call it is an error in any case.',
    ),
});

const limit = z.strictObject({
  scope,
  per: z.enum(['minute', 'hour', 'day']).optional().describe('Window for requests and tokens; minute.'),
  requests: z.int().min(1).optional(),
  tokens: z.int().min(1).optional(),
  concurrency: z.int().min(1).optional().describe('Requests at the same time.'),
});

const usd = z.number().min(0);

const price = z
  .strictObject({
    free: z.boolean().optional(),
    as: modelName.optional().describe('Priced as this other provider/model.'),
    input: usd.optional().describe('USD per million tokens, as all that name no other unit.'),
    output: usd.optional(),
    reasoning: usd.optional().describe('Default: output.'),
    cache_read: usd.optional().describe('Default: input.'),
    cache_read_audio: usd.optional().describe('Default: cache_read.'),
    cache_write_5m: usd.optional(),
    cache_write_1h: usd.optional(),
    input_image: usd.optional().describe('Default: input.'),
    input_audio: usd.optional(),
    output_audio: usd.optional(),
    output_image: usd.optional(),
    web_search: usd.optional().describe('USD a search.'),
    image: usd.optional().describe('USD an image made.'),
    second: usd.optional().describe('USD a second.'),
    tools: z
      .record(z.string().min(1), usd)
      .optional()
      .describe('USD a call of other tools of the provider, by the name that a refusal or the log gives: file_search.'),
    services: z
      .record(z.string().min(1), z.union([z.string(), z.number()]))
      .optional()
      .describe('Service tiers as shares of the token prices: { flex: 50%, priority: 175% }.'),
    force: z
      .boolean()
      .optional()
      .describe('Allows an amount that looks like a slip: above 10000, or above 100 a piece.'),
    from: z.string().optional().describe('Day or instant from which it holds: 2026-01-01.'),
  })
  .describe('One of free, as, or prices. Prices without input and output add to what is known of the model.');

export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors; not read.'),
    workers: z
      .int()
      .min(1)
      .max(64)
      .optional()
      .describe(
        'Processes that serve the one port and spend from the same budgets, one for each core; 1. See docs/instances.md.',
      ),
    listen: z
      .strictObject({
        host: z.string().min(1).optional(),
        port: z.int().min(0).max(65535).optional(),
        grace: duration
          .optional()
          .describe(
            'How long what is in flight may go on once the process is told to stop: 30s. Streams that are open at its end get an error event of their format.',
          ),
      })
      .optional()
      .describe('Where clients connect: 127.0.0.1, 8080. HOST and PORT in the environment win.'),
    admin: z
      .strictObject({
        listen: address.optional().describe('Moves the control plane to an address of its own.'),
        enabled: z
          .boolean()
          .optional()
          .describe('On a host that is not loopback the control plane is off until this is true or listen is set.'),
      })
      .optional(),
    metrics: z
      .enum(['open', 'token', 'off'])
      .optional()
      .describe('/metrics for everybody who reaches the port, with the admin token (default), or not at all.'),
    storage: z
      .strictObject({
        url: z
          .string()
          .optional()
          .describe(
            'sqlite:PATH, by default in the data directory; or postgres://USER@HOST/DATABASE, which instances share. May be env:NAME or file:/path.',
          ),
      })
      .optional(),
    journal: z
      .strictObject({
        durability: z
          .enum(['page-cache', 'full'])
          .optional()
          .describe(
            'page-cache (default): what is written survives the death of the process. full: also power loss; a call waits for the disk before it is sent, an answer before it ends.',
          ),
        segment_bytes: z.string().optional().describe('A new file is begun after this many bytes: 64MB.'),
        keep: duration.optional().describe('Files older than this are removed once nothing needs them any more: 30d.'),
      })
      .optional()
      .describe('The ledger on disk, in the data directory.'),
    files: z
      .array(z.string().min(1))
      .optional()
      .describe('Directories from which file: references may read: /run/secrets and the directory of this file.'),
    providers: z
      .record(z.string(), provider)
      .optional()
      .describe('Absent: every provider whose key stands in the environment.'),
    models: z
      .record(z.string(), z.union([alias, modelName]))
      .optional()
      .describe('Names that clients may ask for, and where they go.'),
    budgets: z.array(budget).optional().describe('Absent: 5 USD a day for everything together.'),
    limits: z.array(limit).optional(),
    prices: z.record(z.string(), price).optional().describe('What the catalogue does not know, by provider/model.'),
  })
  .describe('Configuration of Tollgate.');

export type ConfigFile = z.infer<typeof configSchema>;

/** Sections that a later version will act on. Taking them in silence would promise what nobody does. */
export const laterSections: Readonly<Record<string, string>> = {
  rules: 'rules are not supported by this version; use models and allowed models of keys',
  cache: 'a cache is not supported by this version; every request reaches its provider',
  alerts: 'alerts are not supported by this version; watch llm_proxy_budget_remaining on /metrics',
  shared: 'there is no such section: instances share keys, budgets and spend by the same storage.url, postgres://...',
};

/** The same for keys inside a section, by their name alone. */
export const laterKeys: Readonly<Record<string, string>> = {
  quality: 'quality is not supported by this version',
  region: 'region is not supported by this version; declare one provider per region, each with its base_url',
  refresh: 'refresh is not supported by this version; the file is read again on a reload (SIGHUP)',
};

/** The JSON schema (draft 2020-12) that editors use and in which suggestions are looked up. */
export function jsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: 'input' }) as Record<string, unknown>;
}

/** The same as the text of docs/tollgate.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify({ title: 'tollgate.yaml', ...jsonSchema() }, null, 2)}\n`;
}
