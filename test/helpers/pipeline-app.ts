import type { RequestListener } from 'node:http';
import type { BatcherClient } from '../../src/contracts/batcher-client';
import type { DeadLetter, RedriveResult } from '../../src/contracts/api/answers/dead-letters';
import type { JsonValue } from '../../src/domain/json';
import request from 'supertest';
import type { AdmissionLimits } from '../../src/temporal/shard/admission';
import { anotherClient, type TestPipeline } from './pipeline';
import { usualApp } from './usual-app';
import { waitFor } from './wait-for';
import { watchAnswers } from './watch-answers';

/** The HTTP API over a pipeline on the real server; each of its answers has to be a described one. */
export function appOf(batcher: BatcherClient): RequestListener {
  return watchAnswers(usualApp(batcher));
}

/** Another API process on the same pipeline, with bounds of its own. */
export function anotherApp(pipeline: TestPipeline, limits?: AdmissionLimits): RequestListener {
  return appOf(anotherClient(pipeline, limits));
}

/** Records of these values fail for ever, until they are taken out. */
export function failFor(pipeline: TestPipeline, ...values: JsonValue[]): Set<JsonValue> {
  const failing = new Set(values);
  pipeline.store.beforeSave = ({ value }) => {
    if (failing.has(value)) throw new Error(`no place for ${JSON.stringify(value)}`);
  };
  return failing;
}

/** All dead letters that a query finds, page by page. */
export async function listLetters(
  app: RequestListener,
  query: Record<string, string> = {},
): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  let cursor: string | null = null;
  do {
    const response = await request(app)
      .get('/v1/dead-letters')
      .query({ ...query, ...(cursor !== null && { cursor }) })
      .expect(200);
    const page = response.body as { deadLetters: DeadLetter[]; nextCursor: string | null };
    letters.push(...page.deadLetters);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return letters;
}

/** Waits until so many dead letters are listed; visibility lags a little. */
export function lettersListed(app: RequestListener, count: number, query: Record<string, string> = {}) {
  return waitFor(`${count} dead letters`, async () => {
    const letters = await listLetters(app, query);
    return letters.length === count && letters;
  });
}

export async function redriveBy(app: RequestListener, body: object): Promise<RedriveResult> {
  const response = await request(app).post('/v1/dead-letters/redrive').send(body).expect(202);
  return response.body as RedriveResult;
}
