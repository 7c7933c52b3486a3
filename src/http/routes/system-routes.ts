import type { RequestHandler } from 'express';
import type { BatcherClient } from '../../contracts/batcher-client';
import type { Operation } from '../openapi/operation';
import { bufferSchema } from '../../contracts/api/answers/buffer';
import { controlsSchema } from '../../contracts/api/answers/controls';
import { workersSchema } from '../../contracts/api/answers/workers';
import type { Routes } from './routing';

/** `GET /v1/buffer`, `GET /v1/workers` and `GET /v1/controls`. */
export function serveSystem(routes: Routes, batcher: BatcherClient): void {
  const getWorkers: RequestHandler = async (_req, res) => {
    res.json(await batcher.workers());
  };
  const getControls: RequestHandler = async (_req, res) => {
    res.json(await batcher.controls());
  };
  const getBuffer: RequestHandler = async (_req, res) => {
    res.json(await batcher.bufferSample());
  };
  routes.serve('/buffer', { get: { right: 'read', handle: getBuffer, describe: GET_BUFFER } });
  routes.serve('/workers', { get: { right: 'read', handle: getWorkers, describe: GET_WORKERS } });
  routes.serve('/controls', { get: { right: 'read', handle: getControls, describe: GET_CONTROLS } });
}

const GET_BUFFER: Operation = {
  operationId: 'getBuffer',
  summary: 'Returns the first buffered records of each shard with their values, and what holds them',
  description:
    'In order of acceptance, at most 300 records or 64 KiB of values per shard. What holds a record is reported in ' +
    'scope `running` only. Each batcher is asked at most once a second.',
  answer: { status: 200, schema: bufferSchema },
};

const GET_WORKERS: Operation = {
  operationId: 'getWorkers',
  summary: 'Returns the workers, their builds, and what waits for them in each task queue',
  answer: { status: 200, schema: workersSchema },
};

const GET_CONTROLS: Operation = {
  operationId: 'listControls',
  summary: 'Returns who paused, resumed, flushed, drained, changed limits or redrove, and when',
  description:
    'The latest first, including settings that a process changed at its start. Each batcher remembers its latest 20, ' +
    'also across its runs; older ones are in its history in Temporal.',
  answer: { status: 200, schema: controlsSchema },
};
