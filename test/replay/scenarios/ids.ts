import { randomUUID } from 'node:crypto';
import { savedValues } from '../../helpers/memory-store';
import { waitFor } from '../../helpers/wait-for';
import { batcherHistory, runIdOf, type Scenario } from '../scenario';

/** Children whose ids are taken when the batcher comes to start them. */
export const SCENARIOS_OF_IDS: readonly Scenario[] = [
  {
    cases: ['batcher-reset'],
    async record(start) {
      const pipeline = await start();
      await pipeline.send(['a', 'b', 'c', 'd', 'e']);
      await pipeline.quiet();
      const { client, batcherWorkflowId: workflowId } = pipeline;
      const runId = await runIdOf(pipeline, workflowId);
      const { events } = await batcherHistory(pipeline);
      const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
      await client.workflowService.resetWorkflowExecution({
        namespace: client.options.namespace,
        workflowExecution: { workflowId, runId },
        reason: 'recorder',
        workflowTaskFinishEventId: firstTask?.eventId ?? null,
        requestId: randomUUID(),
      });
      await waitFor('the child to be adopted', async () => (await pipeline.status()).counters.saved === 5);
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
