/** What the workflow bundle holds: the one file that the bundler starts from. */
export { batcherWorkflow } from './batcher';
export { batchWorkflow } from './batch';
export { batchGroupWorkflow } from './batch-group';
export { bufferPageWorkflow } from './buffer-page';
