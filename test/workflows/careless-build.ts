/** A build whose batcher no other build can take up; batches and pages are as usual. */
export { batcherWorkflow } from '../replay/changed/reordered';
export { batchesWorkflow, bufferPageWorkflow } from '../../workflows';
