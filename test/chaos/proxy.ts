import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOOPBACK } from '../../src/temporal/embedded/ports';

/** Stands between a process and the Temporal server, whose connections it can harm. */
export interface Proxy {
  port: number;
  /** Passes on what the process sends, but no reply; after so long every connection is cut. */
  loseReplies(forMs: number): Promise<void>;
  /** Keeps replies back, and passes them on after so long. */
  delayReplies(forMs: number): Promise<void>;
  /** Resets every connection, on both sides. */
  cut(): void;
  close(): Promise<void>;
}

interface Pair {
  client: Socket;
  server: Socket;
}

export async function startProxy(targetPort: number): Promise<Proxy> {
  const pairs = new Set<Pair>();
  let losing = false;
  const listener = createServer((client) => {
    const pair = { client, server: connect(targetPort, LOOPBACK) };
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      pair.client.destroy();
      pair.server.destroy();
    };
    for (const socket of [pair.client, pair.server]) socket.on('error', end).on('close', end).setNoDelay();
    pair.client.on('data', (bytes) => pair.server.write(bytes));
    pair.server.on('data', (bytes) => {
      if (!losing) pair.client.write(bytes);
    });
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject).listen(0, LOOPBACK, resolve);
  });

  function cutAll(): void {
    for (const { client } of pairs) client.destroy();
  }

  return {
    port: (listener.address() as AddressInfo).port,
    async loseReplies(forMs) {
      losing = true;
      await sleep(forMs);
      // What a connection has lost it can't make up for: it has to go before another reply is passed on.
      cutAll();
      losing = false;
    },
    async delayReplies(forMs) {
      const held = [...pairs];
      for (const { server } of held) server.pause();
      await sleep(forMs);
      for (const { server } of held) server.resume();
    },
    cut() {
      for (const { client, server } of pairs) {
        client.resetAndDestroy();
        server.resetAndDestroy();
      }
    },
    async close() {
      cutAll();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
