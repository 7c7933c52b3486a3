import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../src/domain/duration';
import { LOOPBACK } from '../../src/temporal/embedded/ports';
import type { Carried, FaultContext } from './faults';
import type { ApiName } from './fault-kinds';
import { comes } from './moments';

/** What one of the crowd sends, and how it leaves; none of it is a list that could be taken. */
interface Guest {
  to: 'http' | 'tcp';
  sends: string;
  /** Ends its side at once. */
  halfCloses?: true;
  /** Takes no byte of an answer. */
  neverReads?: true;
  /** Breaks off at once. */
  resets?: true;
}

const POST = 'POST /v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

const GUESTS: readonly Guest[] = [
  { to: 'http', sends: '' },
  { to: 'tcp', sends: '' },
  { to: 'http', sends: get('/healthz'), halfCloses: true },
  { to: 'http', sends: get('/openapi.json').repeat(30), neverReads: true },
  { to: 'http', sends: get('/docs/').repeat(30), resets: true },
  { to: 'http', sends: get('/v1/status').repeat(3), resets: true },
  { to: 'http', sends: `${POST}Content-Length: 100\r\n\r\n[1,2,` },
  { to: 'http', sends: `${POST}Content-Length: 100\r\n\r\n[1,2,`, halfCloses: true },
  { to: 'http', sends: `${POST}Content-Length: 100\r\n\r\n[1,2,`, resets: true },
  {
    to: 'http',
    sends: `${get('/v1/status')}${POST}Content-Encoding: constructor\r\nContent-Length: 9\r\n\r\n[1`,
    resets: true,
  },
  { to: 'tcp', sends: '[1,2,' },
  { to: 'tcp', sends: '[1,2,', halfCloses: true },
  { to: 'tcp', sends: 'x'.repeat(5000), neverReads: true },
  { to: 'tcp', sends: `[${'{"a":'.repeat(200)}`, resets: true },
];

const ANSWER_LIMIT_MS = 60 * SECOND;

/** Fills the house. It must answer as soon as they are gone, and not end by it. */
export async function crowdIn(
  whom: ApiName,
  connections: number,
  forMs: number,
  { system }: FaultContext,
): Promise<Carried> {
  const api = system.get(whom);
  if (!(await comes(() => api.up))) return { note: 'it was not up' };
  const { pid } = api;
  const ports = { http: Number(new URL(system.urlOf(whom)).port), tcp: system.addressOf(whom).tcpPort };
  const sockets = Array.from({ length: connections }, (_, i) => enter(GUESTS[i % GUESTS.length]!, ports));
  await sleep(forMs);
  for (const [i, socket] of sockets.entries()) {
    if (i % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
  const answers = await comes(
    async () => (await fetch(`${system.urlOf(whom)}/healthz`)).ok,
    SECOND,
    ANSWER_LIMIT_MS,
  );
  // It may have been restarted meanwhile by another fault, and not be up yet.
  const fails = !answers && api.pid === pid;
  return {
    note: answers ? 'and it answers' : fails ? 'IT DOES NOT ANSWER' : 'it was started again meanwhile',
    ...(fails && { trouble: `${whom} does not answer after a crowd` }),
  };
}

function enter({ to, sends, halfCloses, neverReads, resets }: Guest, ports: Record<'http' | 'tcp', number>) {
  const socket: Socket = connect({ port: ports[to], host: LOOPBACK, allowHalfOpen: true });
  socket.on('error', () => undefined);
  if (neverReads === true) socket.pause();
  else socket.resume();
  void once(socket, 'connect').then(
    () => {
      if (sends !== '') socket.write(sends);
      if (halfCloses === true) socket.end();
      if (resets === true) socket.resetAndDestroy();
    },
    () => undefined,
  );
  return socket;
}
