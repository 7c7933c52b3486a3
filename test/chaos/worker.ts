import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import pino from 'pino';
import { createActivities } from '../../activities';
import type { RecordStore } from '../../src/domain/record-store';
import { createFailingStore } from '../../src/store/failing-store';
import { createFileStore } from '../../src/store/file-store';
import { prepareFolders } from '../../src/store/folders';
import { sweep } from '../../src/store/sweep';
import { connectClient, connectWorker, embeddedTarget } from '../../src/temporal/connection';
import { installRuntime } from '../../src/temporal/runtime';
import { createWorker } from '../../src/temporal/worker';
import { createWorkflowAccess } from '../../src/temporal/workflow-access';
import { FATE, type AttackRecord } from './records';
import type { Moment, WorkerOptions } from './worker-options';

/*
 * A worker as `keepapart worker` is one, over a store that misbehaves: some values are never saved, some slowly, and at
 * a moment that the attack has asked for it stands still, tells so, and waits to be killed.
 */
const options = JSON.parse(process.env['CHAOS_WORKER'] ?? '') as WorkerOptions;

let armed: Moment | undefined;
process.on('message', (moment: Moment) => (armed = moment));
// Whoever started it is gone: nobody would ever end it.
process.on('disconnect', () => process.exit(1));

async function reach(moment: Moment): Promise<void> {
  if (armed !== moment) return;
  armed = undefined;
  process.send?.(moment);
  await new Promise(() => undefined);
}

function misbehaving(inner: RecordStore): RecordStore {
  return {
    ...inner,
    async save(record, batch) {
      const { fate } = record.value as AttackRecord;
      await reach('before-save');
      if (fate === FATE.never) throw new Error('this record is never saved');
      if (fate === FATE.slow) await sleep(options.slowSaveMs);
      await inner.save(record, batch);
      await reach('after-save');
    },
    async closeBatch(batch, records, format) {
      await reach('before-close');
      const closed = await inner.closeBatch(batch, records, format);
      await reach('after-close');
      return closed;
    },
  };
}

async function main(): Promise<void> {
  installRuntime(pino({ level: 'error' }));
  await prepareFolders(options);
  await sweep(options);
  const target = embeddedTarget(options.temporalAddress);
  const client = await connectClient(target);
  const store = createFailingStore(misbehaving(createFileStore(options)), options);
  const worker = await createWorker({
    connection: await connectWorker(target),
    namespace: target.namespace,
    taskQueue: options.taskQueue,
    activities: createActivities({ store, workflows: createWorkflowAccess(client) }),
    workflows: {
      workflowBundle: { codePath: path.resolve(__dirname, '../../dist/workflow-bundle.js') },
    },
  });
  await worker.run();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
