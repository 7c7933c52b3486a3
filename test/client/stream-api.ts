import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { JsonValue } from '../../src/domain/json';

/** How a stream is broken off: after so many records, by an answer, or without one. */
export interface Break {
  afterRecords: number;
  with: { status: number; code: string; retryAfter?: number } | 'reset';
}

export interface StreamApi {
  url: string;
  /** What is durable, by request. */
  durable: Map<string, JsonValue[]>;
  /** How often records were posted, and under which keys. */
  posts: string[];
  /** Ways in which the next posts are broken off, one each. */
  breaks: Break[];
  /** Reports to every stream that is open how many of its records are durable. */
  report(): void;
  /** While it is set, nothing more is read of any body. */
  hold(): () => void;
  close(): Promise<void>;
}

/**
 * The part of the API that takes streams, small: NDJSON line by line, what is durable by key, refusals that tell how far
 * it came, an early answer that closes the connection at once.
 */
export async function startStreamApi(): Promise<StreamApi> {
  const durable = new Map<string, JsonValue[]>();
  const posts: string[] = [];
  const breaks: Break[] = [];
  const open = new Set<() => void>();
  let gate = Promise.resolve();

  async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const requestId = String(req.headers['idempotency-key'] ?? randomUUID());
    posts.push(requestId);
    const planned = breaks.shift();
    const kept = durable.get(requestId) ?? [];
    const report = () =>
      res.writeEarlyHints({ link: '</>; rel=status', 'keepapart-accepted': String(kept.length) });
    if (req.headers['keepapart-progress'] !== undefined) {
      open.add(report);
      res.once('close', () => open.delete(report));
    }
    durable.set(requestId, kept);
    let seen = 0;
    let line = 0;
    const refuse = (status: number, code: string, more: object = {}) => {
      const { retryAfter, ...rest } = more as { retryAfter?: number };
      res.writeHead(status, {
        'content-type': 'application/problem+json',
        connection: 'close',
        ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      });
      res.end(JSON.stringify({ status, code, detail: code, requestId, accepted: kept.length, ...rest }));
    };
    for await (const text of linesOf(req, () => gate)) {
      line++;
      if (text.trim() === '') continue;
      if (planned && seen === planned.afterRecords) {
        if (planned.with === 'reset') req.socket.resetAndDestroy();
        else refuse(planned.with.status, planned.with.code, planned.with);
        return;
      }
      const value = parsed(text);
      if (value === undefined) {
        const problems = [{ field: `line ${line}`, expected: 'one JSON value', received: text.slice(0, 60) }];
        refuse(400, 'invalid-json', { problems });
        return;
      }
      if (seen >= kept.length) kept.push(value);
      else if (JSON.stringify(kept[seen]) !== JSON.stringify(value)) {
        refuse(409, 'idempotency-key-reused');
        return;
      }
      seen++;
    }
    res.writeHead(202, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ requestId, accepted: kept.length }));
  }

  const server = createServer((req, res) => {
    // A client that goes away in the middle is no failure of this server.
    take(req, res).catch(() => res.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    durable,
    posts,
    breaks,
    report: () => open.forEach((report) => report()),
    hold() {
      let release = () => {};
      gate = new Promise((resolve) => (release = resolve));
      return release;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function* linesOf(body: AsyncIterable<Buffer>, gate: () => Promise<void>): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder('utf-8');
  for await (const chunk of body) {
    await gate();
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/** For whole lists that are too long to compare one by one. */
export function digest(values: readonly JsonValue[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('hex');
}
