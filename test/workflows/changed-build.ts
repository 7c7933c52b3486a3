/** What a later build deploys: both workflows changed, the change behind `patched`. */
import { setWorkflowOptions } from '@temporalio/workflow';
import { batchWorkflow, batcherWorkflow } from '../replay/changed/patched';

setWorkflowOptions({ versioningBehavior: 'PINNED' }, batchWorkflow);
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, batcherWorkflow);

export { batchWorkflow, batcherWorkflow };
export { batchGroupWorkflow, bufferPageWorkflow } from '../../workflows/versioned';
