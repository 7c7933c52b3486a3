import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface LosingProxy {
  url: string;
  /** How many of the next connections lose their answer: it is read here, and the connection is then cut. */
  lose: number;
  close(): Promise<void>;
}

/** Stands before an API, and cuts connections when the answer has come, so that nobody knows whether it took the request. */
export async function startLosingProxy(apiUrl: string): Promise<LosingProxy> {
  const { hostname, port } = new URL(apiUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const api = connect(Number(port), hostname);
    for (const socket of [client, api]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(socket);
          client.destroy();
          api.destroy();
        });
    }
    client.pipe(api);
    api.on('data', (piece: Buffer) => {
      if (proxy.lose > 0) {
        proxy.lose--;
        client.resetAndDestroy();
      } else client.write(piece);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: LosingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lose: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
