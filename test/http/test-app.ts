import path from 'node:path';
import type { RequestListener } from 'node:http';
import type { Express } from 'express';
import pino from 'pino';
import { createHttpApi } from '../../src/http/app';
import type { HttpDeps } from '../../src/http/deps';
import { FakeBatcherClient } from '../helpers/fake-batcher-client';
import { watchAnswers } from '../helpers/watch-answers';

export interface TestApp {
  app: RequestListener;
  /** The app within it that knows every route. */
  routes: Express;
  batcher: FakeBatcherClient;
  /** Every log line so far, as text. */
  logs: string[];
  /** What the app is told when it asks whether it is draining. */
  drain: { on: boolean };
}

/** The app over a fake batcher, with limits that are small enough to reach; each answer has to be a described one. */
export function testApp(overrides: Partial<HttpDeps> = {}): TestApp {
  const batcher = new FakeBatcherClient();
  const logs: string[] = [];
  const drain = { on: false };
  const logger = pino({ level: 'trace' }, { write: (line: string) => void logs.push(line) });
  let requests = 0;
  const { app: routes, handle } = createHttpApi({
    batcher,
    limits: { maxRecordBytes: 1000, maxRequestBytes: 10_000, maxRequestRecords: 50 },
    apiKeys: [],
    version: '1.2.3',
    docsAssets: path.resolve('dist/swagger-ui'),
    uiAssets: path.resolve('dist/ui'),
    logger,
    newRequestId: () => `r${++requests}`,
    isDraining: () => drain.on,
    ...overrides,
  });
  return { app: watchAnswers(handle), routes, batcher, logs, drain };
}

/** Shape of a problem details body (RFC 9457), as we send it. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  problems?: { field: string; expected: string; received: string }[];
}
