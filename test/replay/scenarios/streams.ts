import type { RecordStream } from '../../../src/contracts/batcher-client';
import type { JsonValue } from '../../../src/domain/json';
import { waitFor } from '../../helpers/wait-for';
import { NEVER, batcherHistory, runIdOf, runsOf, type Scenario } from '../scenario';

/** Requests that come in parts, some of them twice or not where their stream stands. */
export const SCENARIOS_OF_STREAMS: readonly Scenario[] = [
  {
    cases: ['batcher-streams', 'batcher-streams-going-on'],
    async record(start) {
      const pipeline = await start({ settings: NEVER, limits: runsOf(6) });
      const runId = await runIdOf(pipeline, pipeline.batcherWorkflowId);
      const open = (requestId: string, once: boolean) =>
        pipeline.batcher.openStream(requestId, { once, stillWanted: () => true });
      const counted = (what: 'accepted' | 'duplicateRequests', count: number) =>
        waitFor(`${count} ${what}`, async () => (await pipeline.status()).counters[what] === count);

      // Neither sender knows of the other, so each begins at the first record.
      const [stream, repeated, unkeyed] = [
        await open('stream', true),
        await open('stream', true),
        await open('unkeyed', false),
      ];
      await writeAll(stream, [3, 4]);
      await counted('accepted', 2);
      await writeAll(repeated, [3, 4]);
      await counted('duplicateRequests', 1);
      await writeAll(unkeyed, [1, 5]);
      await unkeyed.end();
      await writeAll(stream, [2, 6, 7, 2]);
      await counted('accepted', 8);
      await waitFor('the full batch to be closed', async () => {
        const { bufferedRecords, inFlight } = await pipeline.status();
        return bufferedRecords === 3 && inFlight === 0;
      });
      await pipeline.batcher.pause('recorder');
      await waitFor('the next run', async () => (await pipeline.status()).run.continuedAsNew === 1);
      await pipeline.batcher.resume('recorder');
      await writeAll(stream, [1, 1]);
      await stream.end();
      await pipeline.batcher.flush('recorder');
      await pipeline.quiet();
      return {
        'batcher-streams': await batcherHistory(pipeline, runId),
        'batcher-streams-going-on': await batcherHistory(pipeline),
      };
    },
  },
];

/** As one part, as they are written without a pause. */
async function writeAll(stream: RecordStream, values: readonly JsonValue[]): Promise<void> {
  for (const value of values) await stream.write(value);
}
