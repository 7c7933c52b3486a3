import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { FindView, FoundRequest, FoundView } from '../../contracts/api/answers/find';
import type { BatchSummary, BatchView } from '../../contracts/api/answers/batches';
import type { RequestView } from '../../contracts/api/answers/requests';
import type { BatcherClient } from '../../contracts/batcher-client';
import { lookupsOf, type Lookup } from '../../domain/lookups';
import { validate } from '../../edge/problems';
import type { AcceptedLists } from '../accepted-lists';
import { keyNameOf } from '../guards/auth';
import type { Operation } from '../openapi/operation';
import { idSchema } from '../openapi/schemas';
import { findSchema } from '../../contracts/api/answers/find';
import type { Routes } from './routing';

const findQuerySchema = z.strictObject({
  q: idSchema.meta({
    description:
      'The id of a record, a request or a batch, the name of a batch file, or the `X-Request-Id` of a list that this ' +
      'process accepted lately',
  }),
});

/** `GET /v1/find?q=`: finds something by any of its ids. */
export function serveFind(routes: Routes, batcher: BatcherClient, accepted: AcceptedLists): void {
  const getFound: RequestHandler = async (req, res) => {
    const detail = 'The query is not valid';
    const { q } = validate(findQuerySchema, { ...req.query }, detail, (path) => path.join('.'));
    const client = keyNameOf(res);
    const found: FoundView[] = [];
    const requests = new Map<string, Promise<RequestView | undefined>>();
    const readRequest = (id: string) => {
      const asked = requests.get(id) ?? batcher.request(id, client);
      requests.set(id, asked);
      return asked;
    };
    for (const lookup of lookupsOf(q)) found.push(...(await look(lookup)));
    const logged = found.length === 0 ? accepted.requestOf(q) : undefined;
    const view = logged === undefined ? undefined : await readRequest(logged);
    if (view !== undefined) found.push({ kind: 'log', request: inFigures(view) });
    res.json({ query: q, found } satisfies FindView);

    async function look({ kind, id, index }: Lookup): Promise<FoundView[]> {
      if (kind === 'batch' || kind === 'file') {
        const batch = await batcher.batch(id);
        if (batch === undefined) return [];
        return [{ kind: 'batch', batch: summaryOf(batch), file: batch.file }];
      }
      const request = await readRequest(id);
      if (request === undefined) return [];
      if (kind === 'request') return [{ kind, request: inFigures(request) }];
      const record = request.records[index ?? -1];
      return record === undefined ? [] : [{ kind: 'record', record, request: inFigures(request) }];
    }
  };
  routes.serve('/find', { get: { right: 'read', handle: getFound, describe: GET_FIND } });
}

function inFigures({ requestId, redriveOf, counts, records }: RequestView): FoundRequest {
  return { requestId, redriveOf: redriveOf ?? null, records: records.length, counts };
}

const GET_FIND: Operation = {
  operationId: 'find',
  summary: 'Finds a record, a request, a batch or a file by its id or name',
  description:
    'An id may mean several things: `a:0` is the first record of the request `a`, or a request of its own. Ids are looked ' +
    'up as they are, not by parts.',
  query: findQuerySchema,
  answer: { status: 200, schema: findSchema },
  errors: ['invalid-request', 'request-too-long'],
};

function summaryOf(batch: BatchView): BatchSummary {
  const { batchId, batcher, state, flushReason, requestIds, startedAt, closedAt } = batch;
  const { saved, rolledBack, retries, runId } = batch;
  return {
    ...{ batchId, batcher, state, flushReason, requestIds, startedAt, closedAt },
    saved,
    rolledBack,
    retries,
    runId,
  };
}
