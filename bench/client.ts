// Keep-alive connections to one address on loopback, opened as they are needed; one exchange at a time on each.

import { connect } from 'node:net';
import { createReader } from './reader.ts';

export interface Exchange {
  read(): void;
  mark(micros: number): void;
  end(status: number): void;
  fail(reason: string): void;
}

export interface Client {
  send(request: Buffer, exchange: Exchange): void;
  close(): void;
}

interface Connection {
  send(request: Buffer, exchange: Exchange): void;
  destroy(): void;
}

const readBytesMax = 65_536;

export function createClient(port: number): Client {
  const idle: Connection[] = [];
  const all = new Set<Connection>();
  const buffer = Buffer.allocUnsafe(readBytesMax);

  function open(): Connection {
    // Into one buffer for all, past node's streams: what the load leaves of the cores is all that the gateway has.
    const socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer,
        callback(bytes) {
          exchange?.read();
          feed(buffer.subarray(0, bytes));
          return true;
        },
      },
    });
    let exchange: Exchange | undefined;
    const connection: Connection = {
      send(request, next) {
        exchange = next;
        socket.write(request);
      },
      destroy: () => socket.destroy(),
    };
    const leave = (reason: string): void => {
      all.delete(connection);
      const place = idle.indexOf(connection);
      if (place >= 0) idle.splice(place, 1);
      const broken = exchange;
      exchange = undefined;
      broken?.fail(reason);
    };
    const feed = createReader({
      mark: (micros) => exchange?.mark(micros),
      end(status, keepAlive) {
        const ended = exchange;
        exchange = undefined;
        if (keepAlive) idle.push(connection);
        else socket.destroy();
        ended?.end(status);
      },
    });
    socket.on('error', (error: NodeJS.ErrnoException) => leave(error.code ?? error.message));
    socket.on('close', () => leave('connection closed before the answer was whole'));
    all.add(connection);
    return connection;
  }

  return {
    send(request, exchange) {
      (idle.pop() ?? open()).send(request, exchange);
    },
    close() {
      for (const connection of all) connection.destroy();
    },
  };
}
