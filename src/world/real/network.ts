// The outbound network: undici's dispatch over one pool an origin, HTTP/1.1, no redirects, no decompression.

import { createRequire, Module } from 'node:module';
import { isIP, type Socket } from 'node:net';
import type * as Undici from 'undici';
import type { buildConnector as Connector, Dispatcher } from 'undici';
import type { CallFailure, CallHandle, CallHandler, TokenRequest, WireRequest } from '../../exchange/wire.ts';
import type { Clock, Network } from '../world.ts';
import { realClock } from './clock.ts';
import { ForbiddenAddress, guardedLookup, mayDial, type Trust } from './dialer.ts';
import { onread, readDirectly } from './reads.ts';

// Its parts by their files: the whole package brings fetch, web sockets and mocks, which nothing here uses, into every start.
const part = createRequire(import.meta.url);
// Undici's part for HTTP/2 stands in for itself until a proxy speaks it: node's module behind it takes 30 of a start's 500 ms.
const http2 = part.resolve('undici/lib/dispatcher/client-h2.js');
part.cache[http2] = Object.assign(new Module(http2), {
  loaded: true,
  exports: (...given: unknown[]): unknown => {
    delete part.cache[http2];
    return (part(http2) as (...given: unknown[]) => unknown)(...given);
  },
});
const Pool = part('undici/lib/dispatcher/pool.js') as typeof Undici.Pool;
const buildConnector = part('undici/lib/core/connect.js') as typeof Undici.buildConnector;

type Request = WireRequest | TokenRequest;

export interface NetworkOptions {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
}

interface Origin {
  readonly dispatcher: Dispatcher;
  /** While a new connection is handed over: what starts now is the first request on it. Always where that cannot be told. */
  fresh: boolean;
}

/** Origins come from the configuration; the bound only guards against a mistake that makes them up. */
const maxOrigins = 1000;

/**
 * A connection that the provider has closed answers the write with a reset within one round trip: half a second at the very
 * most, and as much again for a lost segment. What took a request and then died takes longer, and may have billed it.
 */
const racedWithinMs = 1_000;

const shared = {
  // Ours to time: one sweep in `call` serves every call.
  headersTimeout: 0,
  bodyTimeout: 0,
  pipelining: 1,
  allowH2: false,
  keepAliveTimeout: 4_000,
  maxHeaderSize: 32_768,
} as const;

export function createNetwork(options: NetworkOptions = {}, clock: Pick<Clock, 'monotonic'> = realClock): Network {
  const origins = new Map<string, Origin>();
  const proxied = options.httpsProxy !== undefined || options.httpProxy !== undefined;

  function originOf(request: Request): Origin {
    const key = `${request.trust} ${request.timeouts.connect} ${request.origin}`;
    let origin = origins.get(key);
    if (!origin) {
      if (origins.size >= maxOrigins) throw new Error('too many upstream origins');
      origin = openOrigin(request);
      origins.set(key, origin);
    }
    return origin;
  }

  function openOrigin(request: Request): Origin {
    if (proxied && request.trust !== 'metadata') return { dispatcher: proxyAgent(options), fresh: true };
    const connect = buildConnector({
      timeout: request.timeouts.connect,
      lookup: guardedLookup(request.trust) as never,
      allowH2: false,
      keepAlive: true,
      onread,
    });
    const origin: Origin = {
      fresh: false,
      dispatcher: new Pool(request.origin, { ...shared, connect: dial }),
    };
    function dial(target: Connector.Options, done: Connector.Callback): void {
      if (isIP(target.hostname.replace(/^\[|\]$/g, '')) && !mayDial(target.hostname, request.trust)) {
        done(new ForbiddenAddress(target.hostname), null);
        return;
      }
      connect(target, (error, socket) => {
        if (error) {
          done(error, null);
          return;
        }
        (socket as Socket).setNoDelay(true);
        readDirectly(socket as Socket);
        origin.fresh = true;
        try {
          done(null, socket as never);
        } finally {
          origin.fresh = false;
        }
      });
    }
    return origin;
  }

  return {
    dispatch(request, handler) {
      let origin: Origin;
      try {
        origin = originOf(request);
      } catch (error) {
        handler.fail({ kind: 'connect', sent: false, message: (error as Error).message });
        return { abort() {}, pause() {}, resume() {} };
      }
      return dispatchOn(origin, request, handler, clock);
    },
    async close() {
      await Promise.all([...origins.values()].map((origin) => origin.dispatcher.destroy()));
      origins.clear();
    },
  };
}

function dispatchOn(
  origin: Origin,
  request: Request,
  handler: CallHandler,
  clock: Pick<Clock, 'monotonic'>,
): CallHandle {
  let reused = false;
  let controller: Dispatcher.DispatchController | undefined;
  let aborted = false;
  let sentAt: number | undefined;
  let answered = false;
  let over = false;
  const finish = (failure?: CallFailure): void => {
    if (over) return;
    over = true;
    if (failure) handler.fail(failure);
    else handler.end();
  };
  origin.dispatcher.dispatch(
    {
      origin: request.origin,
      path: request.path,
      method: request.method,
      headers: request.headers as Record<string, string>,
      body: request.method === 'GET' ? null : (request.body as Buffer),
    },
    {
      onRequestStart(started) {
        controller = started;
        reused = !origin.fresh;
        sentAt = clock.monotonic();
        if (aborted) started.abort(new Error('aborted'));
      },
      onResponseStart(started, status, headers) {
        if (status < 200) return;
        // Undici's controller would keep the reads that the head came in for as long as the answer lasts.
        started.rawHeaders = null;
        answered = true;
        handler.start(status, headers as Record<string, string>);
      },
      onResponseData(_, chunk) {
        handler.data(chunk as Buffer);
      },
      onResponseEnd: () => finish(),
      onResponseError(_, error) {
        const sent = sentAt !== undefined;
        const raced = reused && !answered && sentAt !== undefined && clock.monotonic() - sentAt < racedWithinMs;
        finish(aborted ? { kind: 'aborted', sent, message: 'aborted' } : explain(error, sent, raced));
      },
    },
  );
  return {
    abort() {
      if (over || aborted) return;
      aborted = true;
      if (controller) controller.abort(new Error('aborted'));
      // Still queued for a connection: nothing was sent; `onRequestStart` will drop it.
      else finish({ kind: 'aborted', sent: false, message: 'aborted' });
    },
    pause: () => controller?.pause(),
    resume: () => controller?.resume(),
  };
}

/**
 * A reset at once and before any byte of the answer on a reused connection is the keep-alive race: the provider had closed
 * it while idle, the request was not taken. It is told as unsent so that one retry on a fresh connection is safe.
 */
function explain(error: Error, sent: boolean, raced: boolean): CallFailure {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error instanceof ForbiddenAddress) return { kind: 'forbidden-address', sent: false, message: error.message };
  if (code === 'UND_ERR_CONNECT_TIMEOUT')
    return { kind: 'timeout', clock: 'connect', sent: false, message: 'no connection to the provider in time' };
  if (!sent) return { kind: 'connect', sent: false, message: `no connection to the provider (${code || error.name})` };
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE')
    return { kind: 'reset', sent: !raced, message: 'the provider closed the connection before its answer was whole' };
  return { kind: 'protocol', sent: true, message: `the provider's answer could not be read (${code || error.name})` };
}

function proxyAgent(options: NetworkOptions): Dispatcher {
  // It needs methods that only the whole package puts on its dispatchers.
  const { EnvHttpProxyAgent } = part('undici') as typeof Undici;
  return new EnvHttpProxyAgent({
    ...shared,
    ...(options.httpProxy === undefined ? {} : { httpProxy: options.httpProxy }),
    ...(options.httpsProxy === undefined ? {} : { httpsProxy: options.httpsProxy }),
    ...(options.noProxy === undefined ? {} : { noProxy: options.noProxy }),
  });
}

export type { Trust };
