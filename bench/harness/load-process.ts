/*
 * A client that posts the same list over many connections, in a process of its own, and looks at every answer. Each
 * connection sends its next request when it has the answer to the one before. All are open before the clock starts, and
 * it stops with the last answer. Takes its order as JSON in the only argument, and prints `LoadFigures` as JSON.
 */
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Load, LoadFigures } from './load';

const LISTED = 3;

async function run({
  url,
  values,
  connections,
  seconds,
  maxRequests,
  headers,
  withKeys,
}: Load): Promise<LoadFigures> {
  const { hostname, port, pathname } = new URL(url);
  const body = JSON.stringify(values);
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join('\r\n');
  const fixed = Buffer.from(`${head}\r\n\r\n${body}`);
  const nextRequest = () =>
    withKeys ? Buffer.from(`${head}\r\nIdempotency-Key: "${randomUUID()}"\r\n\r\n${body}`) : fixed;

  const latenciesMs: number[] = [];
  const requestIds = new Set<string>();
  const wrong: string[] = [];
  let wrongCount = 0;
  let sent = 0;

  function judge(status: number, text: string): void {
    const what =
      status === 202 ? whatIsWrong(text, values.length, requestIds) : `${status} ${text.slice(0, 300)}`;
    if (what === undefined) return;
    wrongCount++;
    if (wrong.length < LISTED) wrong.push(what);
  }

  async function serve(socket: Socket, deadlineMs: number): Promise<void> {
    const answers = readAnswers(socket);
    while (performance.now() < deadlineMs && sent < maxRequests) {
      sent++;
      const begunAtMs = performance.now();
      socket.write(nextRequest());
      const { status, text } = await answers.next();
      latenciesMs.push(performance.now() - begunAtMs);
      judge(status, text);
    }
    socket.destroy();
  }

  const sockets = Array.from({ length: connections }, () => connect({ host: hostname, port: Number(port) }));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const { user: userBefore, system: systemBefore } = process.cpuUsage();
  const startedAtMs = performance.now();
  await Promise.all(sockets.map((socket) => serve(socket.setNoDelay(true), startedAtMs + seconds * 1000)));
  const elapsedMs = performance.now() - startedAtMs;
  const { user, system } = process.cpuUsage();
  latenciesMs.sort((a, b) => a - b);
  const percentile = (share: number) => latenciesMs[Math.ceil(share * latenciesMs.length) - 1] ?? NaN;
  return {
    answered: latenciesMs.length - wrongCount,
    wrong: { count: wrongCount, first: wrong },
    elapsedMs,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    worstMs: percentile(1),
    startMs: (userBefore + systemBefore) / 1000,
    cpuMs: (user + system - userBefore - systemBefore) / 1000,
  };
}

function whatIsWrong(text: string, records: number, requestIds: Set<string>): string | undefined {
  const answer = JSON.parse(text) as { requestId: string; accepted: number; records: { recordId: string }[] };
  if (answer.accepted !== records || answer.records.length !== records)
    return `not all: ${text.slice(0, 300)}`;
  if (answer.records.at(-1)?.recordId !== `${answer.requestId}:${records - 1}`)
    return `other ids: ${text.slice(0, 300)}`;
  if (requestIds.has(answer.requestId)) return `twice: ${answer.requestId}`;
  requestIds.add(answer.requestId);
  return undefined;
}

interface Answer {
  status: number;
  text: string;
}

/** Answers in the order of the requests, of which there is one at a time; each has to tell its length. */
function readAnswers(socket: Socket): { next(): Promise<Answer> } {
  let received = '';
  let resolve: (answer: Answer) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  socket.setEncoding('latin1');
  socket.on('data', (piece: string) => {
    received += piece;
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const length = /^content-length: *(\d+)/im.exec(received.slice(0, headEnd))?.[1];
    if (length === undefined) {
      reject(new Error(`an answer without its length: ${received.slice(0, headEnd)}`));
      return;
    }
    const text = received.slice(headEnd + 4);
    if (text.length < Number(length)) return;
    const status = Number(received.slice(9, 12));
    received = '';
    resolve({ status, text });
  });
  socket.on('error', (error) => reject(error));
  socket.on('close', () => reject(new Error('a connection was closed before the answer')));
  return {
    next: () =>
      new Promise((onAnswer, onError) => {
        resolve = onAnswer;
        reject = onError;
      }),
  };
}

void run(JSON.parse(process.argv[2] ?? '') as Load).then((figures) =>
  process.stdout.write(JSON.stringify(figures)),
);
