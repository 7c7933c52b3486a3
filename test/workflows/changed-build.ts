/** What a later build deploys: both workflows changed, the change behind `patched`. */
import { setWorkflowOptions } from '@temporalio/workflow';
import { batcherWorkflow, batchesWorkflow } from '../replay/changed/patched';

setWorkflowOptions({ versioningBehavior: 'PINNED' }, batchesWorkflow);
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, batcherWorkflow);

export { batcherWorkflow, batchesWorkflow };
export { bufferPageWorkflow } from '../../workflows/versioned';
