// Health of the worker in this container, which has no port to ask: whether Temporal has heard from it. That it runs
// says little, as a worker that has ended takes its container along; what can't be seen from here is one that hangs or
// doesn't reach Temporal. Exit code 0 or 1, the reason on stdout.
'use strict';

const { hostname } = require('node:os');
const { Client, Connection } = require('@temporalio/client');
const { loadClientConnectConfig } = require('@temporalio/envconfig');

// Temporal lists who has polled within the last five minutes; a healthy worker polls at least once a minute.
const SILENT_FOR_MS = 2 * 60 * 1000;
const WORKFLOW_TASKS = 1;

async function main() {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: 5000 });
  const { workflowService } = new Client({ connection, namespace });
  const { pollers } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: process.env.KEEPAPART_TASK_QUEUE || 'keepapart' },
    taskQueueType: WORKFLOW_TASKS,
  });
  // The SDK's identity of a worker is pid@hostname, and every container has a host name of its own.
  const own = pollers.find(({ identity }) => identity.endsWith(`@${hostname()}`));
  const silentMs = own ? Date.now() - Number(own.lastAccessTime.seconds) * 1000 : Infinity;
  if (silentMs > SILENT_FOR_MS) throw new Error(`Temporal has not heard from a worker on ${hostname()}`);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.log(String(error));
    process.exit(1);
  },
);
