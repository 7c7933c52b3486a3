import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { JsonValue } from '../../src/domain/json';

const run = promisify(execFile);
const PROCESS = [
  '-r',
  path.resolve(__dirname, '../../test/helpers/run-typescript.js'),
  path.join(__dirname, 'load-process.ts'),
];

export interface Load {
  url: string;
  /** The list that each request brings. */
  values: JsonValue[];
  /** Connections at once, each of which sends its next request when it has the answer to the one before. */
  connections: number;
  /** No request is sent after so many seconds, nor beyond so many. */
  seconds: number;
  maxRequests: number;
  headers: Record<string, string>;
  /** Whether each request has an Idempotency-Key of its own. */
  withKeys: boolean;
}

/** What a load generator saw. */
export interface LoadFigures {
  /** Requests that were acknowledged, by an answer that says just that. */
  answered: number;
  /** All other answers, and the first of them. */
  wrong: { count: number; first: string[] };
  elapsedMs: number;
  p50Ms: number;
  p99Ms: number;
  worstMs: number;
  /** CPU time of the generator until it began, and from then on. */
  startMs: number;
  cpuMs: number;
}

/** Posts the same list again and again, from a process of its own. @throws Error when a connection is lost */
export async function postLoad(load: Load): Promise<LoadFigures> {
  const { stdout } = await run(process.execPath, [...PROCESS, JSON.stringify(load)]);
  return JSON.parse(stdout) as LoadFigures;
}
