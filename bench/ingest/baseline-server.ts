/*
 * What keepapart's ingest is measured against: an Express handler that validates a list and answers 202, as anybody
 * would write it. It stores nothing (`none`), sends one `signalWithStart` per request (`signal`), or one update per
 * request (`update`), with nothing in between: what Temporal's own calls cost.
 * Prints `listening <port>` when it is up. Arguments: none|signal|update, the Temporal server, the batcher's workflow id.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import express from 'express';
import { z } from 'zod';
import {
  RUN_LIMITS,
  takeUpdate,
  type BatcherInput,
  type BatcherWorkflow,
} from '../../src/contracts/workflow/batcher';
import { loadConfig } from '../../src/config';
import type { JsonValue } from '../../src/domain/json';
import { batcherAddress } from '../../src/temporal/shard/batcher-address';
import { digestOf } from '../../src/temporal/shard/digests';

const bodySchema = z.array(z.json()).min(1).max(10_000);

type Store = (requestId: string, values: unknown[]) => Promise<void>;

async function signalPerRequest(address: string, workflowId: string): Promise<Store> {
  const client = new Client({ connection: await Connection.connect({ address }) });
  const { settings, taskQueue } = batcherAddress(loadConfig({ env: {}, flags: {} }).config);
  const input: BatcherInput = { settings, limits: RUN_LIMITS };
  return async (requestId, values) => {
    await client.workflow.signalWithStart('batcherWorkflow', {
      workflowId,
      taskQueue,
      args: [input],
      signal: 'addRecords',
      signalArgs: [[{ requestId, values }]],
    });
  };
}

async function updatePerRequest(address: string, workflowId: string): Promise<Store> {
  const client = new Client({ connection: await Connection.connect({ address }) });
  const batcher = client.workflow.getHandle<BatcherWorkflow>(workflowId);
  return async (requestId, values) => {
    const request = {
      requestId,
      values: values as JsonValue[],
      digest: digestOf({ requestId, values: values as JsonValue[] }),
    };
    await batcher.executeUpdate(takeUpdate, {
      args: [[request], { sender: randomBytes(9).toString('base64url'), number: 1 }],
    });
  };
}

const STORES = { signal: signalPerRequest, update: updatePerRequest };

async function main([mode, address = '', workflowId = '']: string[]): Promise<void> {
  const store: Store =
    mode === 'signal' || mode === 'update'
      ? await STORES[mode](address, workflowId)
      : () => Promise.resolve();
  const app = express();
  app.use(express.json({ limit: '1mb' }));
  app.post('/v1/records', async (req, res) => {
    const parsed = bodySchema.safeParse(req.body);
    if (!parsed.success) {
      res.status(400).json(parsed.error.issues);
      return;
    }
    const requestId = randomUUID();
    await store(requestId, parsed.data);
    const records = parsed.data.map((value, index) => ({ recordId: `${requestId}:${index}`, value }));
    res.status(202).json({ requestId, accepted: records.length, records });
  });
  const server = app.listen(0, '127.0.0.1', () => {
    console.log(`listening ${(server.address() as AddressInfo).port}`);
  });
}

void main(process.argv.slice(2));
