import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client of the line protocol, as plain as they come. */
export interface LineClient {
  socket: Socket;
  send(bytes: string | Uint8Array): void;
  /** `send`, then `receive`. */
  ask(bytes: string | Uint8Array, reply: string | RegExp): Promise<string>;
  /**
   * Resolves, once `expected` is within what was received, with all of that, and forgets it; rejects when the
   * connection ends before.
   */
  receive(expected: string | RegExp): Promise<string>;
  /** Received and not taken by `receive`. */
  received(): string;
  /** Resolves with what was received and not taken, once the server has ended the connection. */
  ended: Promise<string>;
  /** Leaves at once, so that the server's next write fails. */
  vanish(): void;
}

const clients: LineClient[] = [];

/** For `afterEach`. */
export function leaveAll(): void {
  for (const client of clients.splice(0)) client.socket.destroy();
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
          if (typeof expected === 'string' ? !text.includes(expected) : !expected.test(text)) return;
          look = () => {};
          resolve(text);
          text = '';
        };
        look();
        void ended.then(() =>
          reject(new Error(`received ${JSON.stringify(text)} instead of ${String(expected)}`)),
        );
      }),
    received: () => text,
    ended,
    vanish: () => void socket.resetAndDestroy(),
  };
  clients.push(client);
  return client;
}
