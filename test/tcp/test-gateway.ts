import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import pino from 'pino';
import type { GatewayBounds, GatewayDeps } from '../../src/tcp/deps';
import { startGateway, type Gateway } from '../../src/tcp/gateway';
import { FakeBatcherClient } from '../helpers/fake-batcher-client';

/** A client of the line protocol, as plain as they come. */
export interface LineClient {
  socket: Socket;
  send(bytes: string | Uint8Array): void;
  /** `send`, then `receive`. */
  ask(bytes: string | Uint8Array, reply: string): Promise<string>;
  /** Resolves, once `expected` is within what was received, with all of that, and forgets it; rejects when the connection ends before. */
  receive(expected: string): Promise<string>;
  /** Received and not taken by `receive`. */
  received(): string;
  /** Resolves with what was received and not taken, once the server has ended the connection. */
  ended: Promise<string>;
  /** Leaves at once, so that the server's next write fails. */
  vanish(): void;
}

export interface TestGateway extends Gateway {
  batcher: FakeBatcherClient;
  /** Every log line so far, as text. */
  logs: string[];
  /** What the gateway is told when it asks whether it is draining. */
  drain: { on: boolean };
  connect(): Promise<LineClient>;
  /** Values of the lists that were handed over, in order. */
  taken(): unknown[][];
}

const gateways: Gateway[] = [];
const clients: LineClient[] = [];

/** The gateway over a fake batcher on a free port, with limits that are small enough to reach. */
export async function testGateway(
  overrides: Partial<GatewayDeps> = {},
  bounds: Partial<GatewayBounds> = {},
): Promise<TestGateway> {
  const batcher = new FakeBatcherClient();
  const logs: string[] = [];
  const drain = { on: false };
  let requests = 0;
  const deps: GatewayDeps = {
    batcher,
    limits: { maxRecordBytes: 1000, maxRequestBytes: 10_000, maxRequestRecords: 50 },
    logger: pino({ level: 'trace' }, { write: (line: string) => void logs.push(line) }),
    newRequestId: () => `r${++requests}`,
    isDraining: () => drain.on,
    ...overrides,
  };
  const gateway = await startGateway(deps, { port: 0, bounds });
  gateways.push(gateway);
  return {
    ...gateway,
    batcher,
    logs,
    drain,
    connect: () => lineClient(gateway.port),
    taken: () => batcher.accepted.map(({ values }) => values),
  };
}

/** For `afterEach`. */
export async function closeGateways(): Promise<void> {
  for (const client of clients.splice(0)) client.socket.destroy();
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close({ graceMs: 0 })));
}

export async function lineClient(port: number): Promise<LineClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  let text = '';
  /** Looks whether what somebody waits for is there. */
  let look = () => {};
  const ended = new Promise<string>((resolve) => {
    for (const event of ['end', 'close']) {
      socket.once(event, () => {
        socket.end();
        resolve(text);
      });
    }
  });
  socket.setEncoding('utf8');
  socket.on('data', (piece: string) => {
    text += piece;
    look();
  });
  // A reset ends the connection as well; what was received before it counts.
  socket.on('error', () => undefined);
  const client: LineClient = {
    socket,
    send: (bytes) => void socket.write(bytes),
    ask(bytes, reply) {
      client.send(bytes);
      return client.receive(reply);
    },
    receive: (expected) =>
      new Promise((resolve, reject) => {
        look = () => {
          if (!text.includes(expected)) return;
          look = () => {};
          resolve(text);
          text = '';
        };
        look();
        void ended.then(() => reject(new Error(`received ${JSON.stringify(text)} instead of ${expected}`)));
      }),
    received: () => text,
    ended,
    vanish: () => void socket.resetAndDestroy(),
  };
  clients.push(client);
  return client;
}
