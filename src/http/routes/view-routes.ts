import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { BatcherClient } from '../../contracts/batcher-client';
import { KeepapartError } from '../../domain/errors';
import { validate } from '../../edge/problems';
import { callerOf, keyNameOf } from '../guards/auth';
import { batchPageSchema, batchViewSchema } from '../../contracts/api/answers/batches';
import { requestViewSchema, waitsSchema } from '../../contracts/api/answers/requests';
import { callerSchema } from '../../contracts/api/answers/simple';
import type { Operation } from '../openapi/operation';
import type { Routes } from './routing';
import { batchesQuerySchema, idSchema } from '../openapi/schemas';
import { statusSchema } from '../../contracts/api/answers/status';

/** `GET /v1/requests/{requestId}`, `/v1/batches`, `/v1/batches/{batchId}`, `/v1/status`, `/v1/waits`, `/v1/me`. */
export function serveViews(routes: Routes, batcher: BatcherClient): void {
  const getRequest: RequestHandler = async (req, res) => {
    const requestId = idSchema.safeParse(req.params['requestId']).data;
    const view = requestId === undefined ? undefined : await batcher.request(requestId, keyNameOf(res));
    if (!view)
      throw new KeepapartError('request-not-found', 'It was never accepted, or longer ago than is kept');
    res.json(view);
  };

  const getBatches: RequestHandler = async (req, res) => {
    const detail = 'The query is not valid';
    // Copied: the query parser's object has no prototype. Fields are parameter names.
    const filter = validate(batchesQuerySchema, { ...req.query }, detail, (path) => path.join('.'));
    res.json(await batcher.batches(filter));
  };

  const getBatch: RequestHandler = async (req, res) => {
    const batchId = idSchema.safeParse(req.params['batchId']).data;
    const view = batchId === undefined ? undefined : await batcher.batch(batchId);
    if (!view) throw new KeepapartError('batch-not-found', 'It never was, or closed longer ago than is kept');
    res.json(view);
  };

  const getStatus: RequestHandler = async (_req, res) => {
    res.json(await batcher.status());
  };

  const getWaits: RequestHandler = async (_req, res) => {
    res.json(await batcher.waits());
  };

  const getMe: RequestHandler = (_req, res) => {
    res.json(callerOf(res));
  };

  const read = (handle: RequestHandler, describe: Operation) => ({
    get: { right: 'read', handle, describe } as const,
  });
  routes.serve('/requests/:requestId', read(getRequest, GET_REQUEST));
  routes.serve('/batches', read(getBatches, GET_BATCHES));
  routes.serve('/batches/:batchId', read(getBatch, GET_BATCH));
  routes.serve('/status', read(getStatus, GET_STATUS));
  routes.serve('/waits', read(getWaits, GET_WAITS));
  routes.serve('/me', read(getMe, GET_ME));
}

const GET_REQUEST: Operation = {
  operationId: 'getRequest',
  summary: 'Returns where each record of a request is, and its outcome',
  params: z.object({ requestId: idSchema }),
  answer: { status: 200, schema: requestViewSchema },
  errors: ['request-not-found', 'not-found', 'request-too-long'],
};

const GET_BATCHES: Operation = {
  operationId: 'listBatches',
  summary: 'Lists batches: running ones first, then the most recently closed',
  query: batchesQuerySchema,
  answer: { status: 200, schema: batchPageSchema },
  errors: ['invalid-request', 'not-found'],
};

const GET_BATCH: Operation = {
  operationId: 'getBatch',
  summary: 'Returns a batch with its records and their outcomes',
  params: z.object({ batchId: idSchema }),
  answer: { status: 200, schema: batchViewSchema },
  errors: ['batch-not-found', 'not-found'],
};

const GET_STATUS: Operation = {
  operationId: 'getStatus',
  summary: 'Returns what is buffered, in flight, saved and rolled back, per shard and in total',
  answer: { status: 200, schema: statusSchema },
};

const GET_WAITS: Operation = {
  operationId: 'getWaits',
  summary: 'Returns what the buffered records are waiting for, per shard',
  answer: { status: 200, schema: waitsSchema },
};

const GET_ME: Operation = {
  operationId: 'getMe',
  summary: 'Returns the name and rights of the API key',
  isLocal: true,
  answer: { status: 200, schema: callerSchema },
};
