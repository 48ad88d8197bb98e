// The inbound sockets: node's HTTP server with its bounds set, and the figures of the process that `listen` sheds by.

import type { Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { InboundListener } from '../world.ts';
import { createServer } from './http.ts';
import { DirectRequest } from './request.ts';
import { DirectResponse } from './response.ts';

export interface OpenServer {
  readonly port: number;
  /** Stops accepting and closes idle connections; those in use end with their exchange. */
  stop(): void;
  /** Closes what is left. */
  destroy(): void;
}

/**
 * Where the kernel spreads connections over sockets of one port; elsewhere the parent process hands them out. What waits
 * for a process that is killed is reset then, where a connection that was being handed to it would hang for ever.
 */
const spreads = process.platform === 'linux';

/**
 * `together`: other processes listen on the port too, and whoever opens first must know that it is free. Rejects with
 * node's own error (EADDRINUSE, EACCES).
 */
export function openServer(
  host: string,
  port: number,
  listener: InboundListener,
  together = false,
): Promise<OpenServer> {
  const server: Server = createServer(
    {
      maxHeaderSize: 32_768,
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      // Longer than the idle timeout of common load balancers, so that theirs ends first and no request meets a reset.
      keepAliveTimeout: 75_000,
      connectionsCheckingInterval: 1_000,
      noDelay: true,
      requireHostHeader: true,
      rejectNonStandardBodyWrites: true,
      IncomingMessage: DirectRequest,
      ServerResponse: DirectResponse as never,
    },
    listener as never,
  );
  server.maxHeadersCount = 100;
  server.on('clientError', (_, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    else socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: 8192, reusePort: together && spreads }, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : port,
        stop() {
          server.close();
          server.closeIdleConnections();
        },
        destroy: () => server.closeAllConnections(),
      });
    });
  });
}

/** The recent event-loop delay, sampled; read at most once a turn, reset every second. */
export function loopDelay(): { readonly ms: () => number; readonly stop: () => void } {
  const histogram = monitorEventLoopDelay({ resolution: 20 });
  histogram.enable();
  let recentMs = 0;
  const timer = setInterval(() => {
    recentMs = histogram.percentile(50) / 1e6 - 20;
    histogram.reset();
  }, 1000);
  timer.unref();
  return {
    ms: () => recentMs,
    stop() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

/** Rejects where somebody listens there, which sockets that share a port would not notice. */
export async function probePort(host: string, port: number): Promise<void> {
  const probe = await openServer(host, port, () => undefined);
  probe.stop();
}
