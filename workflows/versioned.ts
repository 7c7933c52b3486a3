/**
 * The same workflows for workers that have a build: a bundle of its own, as Temporal refuses every task that says how it
 * wants to be versioned and comes from a worker without a build.
 */
import { setWorkflowOptions } from '@temporalio/workflow';
import { batcherWorkflow } from './batcher/batcher';
import { batchesWorkflow } from './child/child';
import { bufferPageWorkflow } from './page';
import { auditWorkflow } from './audit';

/** Ends on the build that it began on, so that a change of it needs no `patched`. */
setWorkflowOptions({ versioningBehavior: 'PINNED' }, batchesWorkflow);

/** Lives for ever, so it has to move: with its next task after another build has become current. */
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, batcherWorkflow);

/** May wait as long as its batcher is paused: pinned, it would keep a build from being drained. */
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, bufferPageWorkflow);

/** Takes minutes, and no build should have to wait for it. */
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, auditWorkflow);

export { auditWorkflow, batcherWorkflow, batchesWorkflow, bufferPageWorkflow };
