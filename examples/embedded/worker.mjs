// A process that runs a Worker of the app, and beside it the two of keepapart.
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createKeepapartWorker } from 'keepapart/worker';
import store from '../own-store/store.mjs';
import { address, settings, taskQueue } from './settings.mjs';

const client = new Client({ connection: await Connection.connect({ address }) });
const connection = await NativeConnection.connect({ address });

const mine = { taskQueue, workflowsPath: fileURLToPath(new URL('workflows.mjs', import.meta.url)) };
const keepapart = await createKeepapartWorker({ client, settings, store });

const workers = await Promise.all(
  [mine, ...keepapart.workers].map((options) => Worker.create({ connection, ...options })),
);
console.log('the workers run');
// The SDK stops them on SIGINT and SIGTERM.
await Promise.all(workers.map((worker) => worker.run()));
await keepapart.close();
await connection.close();
await client.connection.close();
