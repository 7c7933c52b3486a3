/** What the workflow bundle holds: the one file that the bundler starts from. */
export { batcherWorkflow } from './batcher/batcher';
export { batchesWorkflow } from './child/child';
export { bufferPageWorkflow } from './page';
export { auditWorkflow } from './audit';
