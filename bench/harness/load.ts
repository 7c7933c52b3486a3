import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const AUTOCANNON = require.resolve('autocannon/autocannon.js');

export interface Load {
  url: string;
  body: string;
  /** Connections at once, each of which sends its next request when it has the answer to the one before. */
  connections: number;
  /** Ends the load after so many seconds, or so many requests. */
  until: { seconds: number } | { requests: number };
}

/** What a load generator saw. */
export interface LoadFigures {
  /** Answers with status 2xx. */
  answered: number;
  /** All other answers, and requests without one. */
  failed: number;
  perSecond: number;
  /** Latencies in milliseconds. */
  p50Ms: number;
  p99Ms: number;
}

/** Posts the same JSON again and again, from a process of its own. */
export async function postLoad({ url, body, connections, until }: Load): Promise<LoadFigures> {
  const end = 'seconds' in until ? ['-d', String(until.seconds)] : ['-a', String(until.requests)];
  const args = ['-j', '-n', '-m', 'POST', '-H', 'content-type=application/json', '-b', body];
  const { stdout } = await run(process.execPath, [
    AUTOCANNON,
    ...args,
    ...end,
    '-c',
    String(connections),
    url,
  ]);
  const result = JSON.parse(stdout) as AutocannonResult;
  return {
    answered: result['2xx'],
    failed: result.non2xx + result.errors,
    perSecond: result['2xx'] / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  };
}

interface AutocannonResult {
  '2xx': number;
  non2xx: number;
  errors: number;
  /** In seconds. */
  duration: number;
  latency: { p50: number; p99: number };
}
