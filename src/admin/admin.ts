// The control plane's door: one route table, denied by default, every answer private and unsniffable.

import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal, refusals } from '../exchange/refusal.ts';
import type { InboundListener, InboundReply, InboundRequest } from '../world/world.ts';
import { readJson, validBody } from './body.ts';
import { budgetRoutes } from './budgets.ts';
import { catalogueRoutes } from './catalogue.ts';
import { inflightRoutes } from './inflight.ts';
import { keyRoutes } from './keys.ts';
import { ledgerRoutes } from './ledger.ts';
import { openApi } from './openapi.ts';
import { otherCostRoutes } from './other-costs.ts';
import type { AdminParts } from './parts.ts';
import { policyRoutes } from './policy.ts';
import { probeRoutes } from './probes.ts';
import { reconcileRoutes } from './reconcile.ts';
import { type Answer, ok, type Route } from './route.ts';
import { spendingRoutes } from './spending.ts';
import { unitRoutes } from './units.ts';

export type { AdminParts } from './parts.ts';

const documentRoute: Route = {
  method: 'GET',
  path: '/admin/openapi.json',
  access: 'admin',
  summary: 'This document',
  answers: 'OpenAPI 3.1',
  handle: (_, parts) => ok(openApi(adminRoutes, parts.about.version)),
};

export const adminRoutes: readonly Route[] = [
  ...probeRoutes,
  ...keyRoutes,
  ...unitRoutes,
  ...budgetRoutes,
  ...inflightRoutes,
  ...spendingRoutes,
  ...ledgerRoutes,
  ...policyRoutes,
  ...catalogueRoutes,
  ...reconcileRoutes,
  ...otherCostRoutes,
  documentRoute,
];

/** Whether a path is the control plane's to answer. */
export function isAdminPath(path: string): boolean {
  return /^\/(admin(\/|$)|healthz$|readyz$|metrics$)/.test(path);
}

/** Answers everything, also what it does not know. Never throws. */
export function createAdmin(parts: AdminParts): InboundListener {
  const expected = digest(parts.token.reveal());
  return (request, reply) => {
    reply.on('error', () => undefined);
    answer(request, parts, expected).then(
      (given) => send(request, reply, given),
      (error: unknown) => send(request, reply, failure(error, parts)),
    );
  };
}

/** The same routes without a socket: the command line at work on a store of its own. Rejects with `Refusal`. */
export async function askAdmin(parts: AdminParts, method: string, address: string, body?: unknown): Promise<unknown> {
  const url = new URL(address, 'http://admin.invalid');
  const found = match(url.pathname, method);
  if (!found) throw notFound(url.pathname, method);
  const valid = found.route.body ? validBody(body, found.route.body) : undefined;
  const given = await found.route.handle({ params: found.params, query: url.searchParams, body: valid }, parts);
  return 'text' in given ? given.text : given.json;
}

async function answer(request: InboundRequest, parts: AdminParts, expected: Buffer): Promise<Answer> {
  const url = URL.parse(request.url ?? '/', 'http://admin.invalid');
  if (!url) throw new Refusal('invalid_request', 'The address cannot be read.');
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  const found = match(url.pathname, method);
  const access = found?.route.access ?? 'admin';
  const open = access === 'open' || (access === 'metrics' && parts.metricsAccess === 'open');
  // Before anything is said of the path: who may not enter learns nothing of what is inside.
  if (!open && !authorized(request, expected)) {
    throw new Refusal(
      'invalid_key',
      'This needs the admin token: authorization: Bearer … (it stands in data/admin-token).',
    );
  }
  if (!found || (access === 'metrics' && parts.metricsAccess === 'off')) throw notFound(url.pathname, method);
  const body = found.route.body ? await readJson(request, found.route.body, found.route.bodyMaxBytes) : undefined;
  return found.route.handle({ params: found.params, query: url.searchParams, body }, parts);
}

interface Found {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

function match(path: string, method: string): Found | undefined {
  const steps = path.split('/');
  for (const route of adminRoutes) {
    if (route.method !== method) continue;
    const params = paramsOf(route.path.split('/'), steps);
    if (params) return { route, params };
  }
  return undefined;
}

function paramsOf(pattern: readonly string[], steps: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== steps.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, wanted] of pattern.entries()) {
    const step = steps[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(wanted)?.[1];
    if (name === undefined) {
      if (wanted !== step) return undefined;
    } else if (step === '') return undefined;
    else params[name] = decoded(step);
  }
  return params;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

function notFound(path: string, method: string): Refusal {
  const methods = adminRoutes
    .filter((route) => paramsOf(route.path.split('/'), path.split('/')))
    .map((route) => route.method);
  if (methods.length > 0 && !methods.some((known) => known === method)) {
    return new Refusal('method_not_allowed', `This path takes ${methods.join(', ')}.`);
  }
  return new Refusal('unknown_path', 'There is nothing at this path; GET /admin/openapi.json lists what there is.');
}

function authorized(request: InboundRequest, expected: Buffer): boolean {
  const header = request.headers.authorization;
  const given = typeof header === 'string' ? /^Bearer +(\S+)\s*$/i.exec(header)?.[1] : undefined;
  return given !== undefined && timingSafeEqual(digest(given), expected);
}

/** Equal lengths for the comparison, whatever was sent. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function failure(error: unknown, parts: AdminParts): Answer {
  if (!(error instanceof Refusal)) {
    parts.log.error('admin_failed', { reason: error instanceof Error ? error.message : String(error) });
    return failure(new Refusal('internal', 'This failed; the log has the reason.'), parts);
  }
  const { type } = refusals[error.refusal];
  const body = { message: error.message, type, code: error.refusal, param: error.detail.param ?? null };
  return { status: error.status, json: { error: body } };
}

function send(request: InboundRequest, reply: InboundReply, given: Answer): void {
  const isText = 'text' in given;
  const body = isText ? given.text : `${JSON.stringify(given.json)}\n`;
  reply.writeHead(given.status, {
    'content-type': isText ? given.contentType : 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'private, no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'",
    'referrer-policy': 'no-referrer',
    ...(given.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    // The rest of a refused body is not read to its end.
    ...(given.status === 413 ? { connection: 'close' } : {}),
  });
  reply.end(request.method === 'HEAD' ? undefined : body);
}
