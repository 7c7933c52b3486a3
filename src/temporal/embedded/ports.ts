import { randomInt } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { KeepapartError } from '../../domain/errors';

/** The embedded server has no authentication, so only this machine may reach it. */
export const LOOPBACK = '127.0.0.1';

/** An address of this machine and a port. */
export interface Endpoint {
  host: string;
  port: number;
}

/** A port to open, and its setting. */
export interface PortWish {
  /** 0 picks a free one. */
  port: number;
  /** Name of the setting, for the message. */
  setting: string;
  /** What 0 means, if not any free port. */
  zero?: string;
  /** An alternative that only this port has. */
  hint?: string;
}

/**
 * Picks a free port for every 0, and checks that the others are free. Ports are probed but not reserved: whoever opens them
 * must handle a port that was taken meanwhile.
 * @returns the ports in the order of the wishes, all different
 * @throws KeepapartError `port-in-use` (not retried), naming the port, its setting and the ways out
 */
export async function choosePorts(wishes: readonly PortWish[]): Promise<number[]> {
  const held: Server[] = [];
  try {
    for (const wish of wishes) held.push(await hold(wish));
    return held.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
  }
}

/**
 * A free port that only we should find: on a random address of the loopback network (127.0.0.0/8), because all ports of
 * one address can be scanned within seconds, even from a page in a browser. On systems with a single loopback address,
 * such as macOS, on that.
 */
export async function chooseHiddenPort(): Promise<Endpoint> {
  const host = `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
  return (await freePort(host)) ?? (await freePort(LOOPBACK)) ?? { host: LOOPBACK, port: 0 };
}

/** Undefined if this machine doesn't have the address. */
async function freePort(host: string): Promise<Endpoint | undefined> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen({ port: 0, host, exclusive: true }, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve({ host, port }));
    });
  });
}

/** Whether something accepts connections on this port of the loopback interface. */
export async function accepts(port: number, host: string = LOOPBACK): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function hold({ port, setting, zero = 'for any free one', hint }: PortWish): Promise<Server> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const problem =
        error.code === 'EADDRINUSE' ? 'is taken' : `can't be opened (${error.code ?? error.message})`;
      const detail =
        `Port ${port} on ${LOOPBACK} ${problem}; it is ${setting}. Free it, or set KEEPAPART_${setting} to another ` +
        `port, or to 0 ${zero}.${hint === undefined ? '' : ` ${hint}`}`;
      reject(new KeepapartError('port-in-use', detail, { cause: error }));
    });
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => resolve(server));
  });
}
