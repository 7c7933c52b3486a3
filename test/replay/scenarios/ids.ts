import { resetWorkflow } from '../../helpers/by-hand';
import { savedValues } from '../../helpers/memory-store';
import { waitFor } from '../../helpers/wait-for';
import { batcherHistory, type Scenario } from '../scenario';

/** Batchers that come after children of before. */
export const SCENARIOS_OF_IDS: readonly Scenario[] = [
  {
    cases: ['batcher-reset'],
    async record(start) {
      const pipeline = await start();
      await pipeline.send(['a', 'b', 'c', 'd', 'e']);
      await pipeline.quiet();
      const { client, batcherWorkflowId: workflowId } = pipeline;
      await resetWorkflow(client, workflowId);
      await pipeline.send(['f', 'g', 'h', 'i', 'j']);
      await waitFor(
        'both children to be counted',
        async () => (await pipeline.status()).counters.saved === 10,
      );
      return { 'batcher-reset': await batcherHistory(pipeline) };
    },
  },
  {
    cases: ['batcher-begun-again'],
    async record(start) {
      const pipeline = await start();
      await pipeline.send(['before']);
      await pipeline.quiet();
      await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).terminate('recorder');
      await pipeline.send(['after']);
      await waitFor('the second record', () => savedValues(pipeline.store).includes('after'));
      await pipeline.quiet();
      return { 'batcher-begun-again': await batcherHistory(pipeline) };
    },
  },
];
