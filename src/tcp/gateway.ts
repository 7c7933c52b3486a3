import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { KeepapartError } from '../domain/errors';
import { describeReceived } from '../domain/field-problems';
import { oncePerBurst } from '../edge/burst-log';
import { endSocket, serveConnection, type Connection } from './connection';
import { DEFAULT_BOUNDS, type GatewayBounds, type GatewayDeps } from './deps';
import { errorReply } from './replies';
import { createListTaker } from './take-list';

/** The old protocol has no keys, so only this machine may reach it. */
const HOST = '127.0.0.1';

/** Connections beyond the limit that get an error. Further ones are closed without a reply. */
const REFUSED_WITH_REPLY = 32;

export interface GatewayOptions {
  /** 0 picks a free one. */
  port: number;
  bounds?: Partial<GatewayBounds>;
}

export interface Gateway {
  /** `127.0.0.1:<port>`, with the port that was picked. */
  address: string;
  port: number;
  /**
   * Stops accepting, ends idle connections, and ends each other one when everything it sent is answered. What is pending
   * after `graceMs` is cut. Resolves when all are closed; calling it again waits for the same end.
   */
  close(options: { graceMs: number }): Promise<void>;
}

/**
 * Serves the old line protocol (docs/LINE-PROTOCOL.md) on the loopback interface.
 * @throws `port-in-use` if the port is taken, `invalid-config` if it requires privileges; neither is retried
 */
export async function startGateway(deps: GatewayDeps, options: GatewayOptions): Promise<Gateway> {
  const { logger, limits } = deps;
  const bounds = { ...DEFAULT_BOUNDS, ...options.bounds };
  const takeList = createListTaker(deps);
  const connections = new Set<Connection>();
  const logRefusals = oncePerBurst((times) =>
    logger.warn(
      { code: 'too-many-connections', maxConnections: bounds.maxConnections, times },
      'connections refused: the TCP gateway has reached its connection limit',
    ),
  );
  let count = 0;

  function accept(socket: Socket): void {
    if (connections.size >= bounds.maxConnections) {
      refuse(socket);
      return;
    }
    const log = logger.child({ connection: ++count });
    const parts = { takeList, bounds, maxBytes: limits.maxRequestBytes, log };
    const connection = serveConnection(socket, parts);
    connections.add(connection);
    void connection.over.then(() => connections.delete(connection));
  }

  function refuse(socket: Socket): void {
    const detail = `${bounds.maxConnections} clients are connected; close the connections that are not needed`;
    const error = new KeepapartError('too-many-connections', detail);
    logRefusals();
    socket.on('error', () => undefined);
    endSocket(socket, errorReply(error), bounds.lingerMs);
  }

  // Half-open: a client that ends its side after its last list still gets the reply.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  server.maxConnections = bounds.maxConnections + REFUSED_WITH_REPLY;
  server.on('drop', logRefusals);
  await listen(server, options.port);
  server.on('error', (error) =>
    logger.error({ err: error }, 'the TCP gateway could not accept a connection'),
  );
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    address: `${HOST}:${port}`,
    port,
    close: ({ graceMs }) => (closed ??= close(server, connections, graceMs)),
  };
}

async function close(server: Server, connections: Set<Connection>, graceMs: number): Promise<void> {
  const serverClosed = new Promise<void>((resolve) => server.close(() => resolve()));
  const left = [...connections];
  for (const connection of left) connection.finish();
  const cut = setTimeout(() => left.forEach((connection) => connection.cut()), graceMs);
  await Promise.all([serverClosed, ...left.map((connection) => connection.over)]);
  clearTimeout(cut);
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(toCatalogued(error, port)));
    server.listen(port, HOST, resolve);
  });
  server.removeAllListeners('error');
}

function toCatalogued(error: NodeJS.ErrnoException, port: number): Error {
  const options = (expected: string) => ({
    cause: error,
    problems: [{ field: 'TCP_PORT', expected, received: describeReceived(port) }],
  });
  if (error.code === 'EADDRINUSE') {
    const detail =
      `Port ${port} on ${HOST} is taken; it is TCP_PORT. Free it, or set KEEPAPART_TCP_PORT to another port, or to ` +
      `0 to disable the TCP gateway.`;
    return new KeepapartError('port-in-use', detail, options('a free port, or 0 for no gateway'));
  }
  if (error.code === 'EACCES') {
    const detail = `Port ${port} on ${HOST} requires privileges that this process doesn't have; set KEEPAPART_TCP_PORT to another port.`;
    return new KeepapartError(
      'invalid-config',
      detail,
      options('a port that this user may open, usually above 1023'),
    );
  }
  return error;
}
