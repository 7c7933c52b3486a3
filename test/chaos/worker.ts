/*
 * A worker as `keepapart worker` starts it, from the same pieces, with a store that the harness can stop, slow down and
 * have fail. Started by system.ts; told what to do over IPC (points.ts).
 */
import { createActivities } from '../../activities';
import { createLogger } from '../../src/cli/process/logger';
import type { Lifecycle } from '../../src/cli/process/lifecycle';
import { openFaultlessStore } from '../../src/cli/process/open-store';
import { readConfig } from '../../src/cli/process/read-config';
import { runUntilStopped } from '../../src/cli/process/run';
import { connect, externalTemporal } from '../../src/cli/process/temporal-role';
import { createFailingStore } from '../../src/store/failing-store';
import { installRuntime } from '../../src/temporal/worker/runtime';
import { createWorker } from '../../src/temporal/worker/worker';
import { createWorkflowAccess } from '../../src/temporal/worker/workflow-access';
import { workflowCode } from '../../src/temporal/worker/workflow-bundle';
import { connectWorker } from '../../src/temporal/worker/worker-connection';
import { createAttackedStore, hangWhilePublishing } from './attacked-store';
import { createJournalStore } from './journal-store';
import { createHanging, type FromWorker, type ToWorker } from './points';
import { noteStays } from './stays';

const { config } = readConfig({});
const logger = createLogger(config, { readable: false });
const tell = (message: FromWorker): void => void process.send?.(message);
const hanging = createHanging((reached, batchId) => tell({ reached, batchId }));

process.on('message', (message: ToWorker) => {
  if ('hangAt' in message) hanging.hangAt(message.hangAt);
  else hanging.goOn();
});
// The harness is gone.
process.on('disconnect', () => process.exit(1));

void runUntilStopped(logger, start).then((code) => process.exit(code));

async function start(lifecycle: Lifecycle): Promise<void> {
  installRuntime(logger);
  const temporal = externalTemporal();
  const client = await connect(temporal, lifecycle);
  const attacked = createAttackedStore(await recordStore(lifecycle), hanging, (ended) => tell({ ended }));
  const failing = createFailingStore(attacked, { failureRate: config.saveFailureRate });
  const stays = process.env['KEEPAPART_TEST_STAYS'];
  const connection = await connectWorker(temporal.target);
  const worker = await createWorker({
    connection,
    namespace: temporal.target.namespace,
    taskQueue: config.taskQueue,
    activities: createActivities({
      store: stays === undefined ? failing : noteStays(failing, stays),
      workflows: createWorkflowAccess(client),
    }),
    workflows: workflowCode({ versioned: false, stackTraces: false }),
  });
  worker.run().catch((error: unknown) => lifecycle.fail(error));
  tell({ ready: true });
}

function recordStore(lifecycle: Lifecycle) {
  const journal = process.env['KEEPAPART_TEST_JOURNAL'];
  if (journal !== undefined) return Promise.resolve(createJournalStore(journal));
  hangWhilePublishing(hanging);
  return openFaultlessStore({ config, logger, lifecycle });
}
