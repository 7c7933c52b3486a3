import { KeepapartError } from '../../../src/domain/errors';
import type { JsonValue } from '../../../src/domain/json';
import type { PipelineSettings } from '../../../src/contracts/workflow/settings';
import type { MemoryStore } from '../../helpers/memory-store';
import { waitFor } from '../../helpers/wait-for';
import type { CaseName } from '../cases';
import {
  batcherHistory,
  childHistory,
  firstChildOf,
  historyOf,
  holdSlowRecords,
  runIdOf,
  type Scenario,
} from '../scenario';

/** One list, saved by a store that behaves in some way. */
export function oneChild(
  name: CaseName,
  values: JsonValue[],
  { settings = {}, behave }: { settings?: Partial<PipelineSettings>; behave?: (store: MemoryStore) => void },
): Scenario {
  return {
    cases: [name],
    async record(start) {
      const pipeline = await start({ settings });
      behave?.(pipeline.store);
      await pipeline.send(values);
      await pipeline.quiet();
      return { [name]: await childHistory(pipeline) };
    },
  };
}

/** Values that fail: so often, for good, or because the store wants none of them. */
export function failing({ fails = {}, never = [], refused = [] }: Failing): (store: MemoryStore) => void {
  return (store) => {
    store.beforeSave = ({ value }, attempt) => {
      if (refused.includes(value)) throw new KeepapartError('record-rejected', 'not a record for this store');
      const failures = typeof value === 'string' ? (fails[value] ?? 0) : 0;
      if (never.includes(value) || attempt <= failures) throw new Error(`no luck in attempt ${attempt}`);
    };
  };
}

interface Failing {
  /** How many attempts fail. */
  fails?: Record<string, number>;
  never?: readonly JsonValue[];
  refused?: readonly JsonValue[];
}

function once(failure: () => Error): () => void {
  let failed = false;
  return () => {
    if (failed) return;
    failed = true;
    throw failure();
  };
}

/** Refuses, once, to close the batches that this is true of. */
export function refusingOnce(isRefused: (batchId: string) => boolean): (store: MemoryStore) => void {
  return (store) => {
    let refused = false;
    store.beforeClose = ({ batchId }) => {
      if (refused || !isRefused(batchId)) return;
      refused = true;
      throw new KeepapartError('batch-rejected', 'not a batch for this store');
    };
  };
}

export const SCENARIOS_OF_CHILDREN: readonly Scenario[] = [
  oneChild('child-clean', [3, 4, 5], {}),
  oneChild('child-retries', ['first', 'second', 'third'], {
    behave: failing({ fails: { second: 1, third: 2 } }),
  }),
  oneChild('child-rollback', ['fine', 'never', 'refused'], {
    behave: failing({ never: ['never'], refused: ['refused'] }),
  }),
  oneChild('child-all-or-nothing', ['fine', 'refused'], {
    settings: { onFailure: 'rollback_batch' },
    behave: failing({ refused: ['refused'] }),
  }),
  oneChild('child-tried-again', ['fine', 'refused'], {
    behave(store) {
      failing({ refused: ['refused'] })(store);
      store.beforeRollback = once(() => new Error('away'));
      store.beforeClose = once(() => new Error('away'));
    },
  }),
  oneChild('child-refused', ['fine'], { behave: refusingOnce(() => true) }),
  {
    cases: ['child-cancelled'],
    async record(start) {
      const pipeline = await start();
      const slow = holdSlowRecords(pipeline);
      await pipeline.send(['fast', 'slow']);
      await waitFor(
        'the fast record to be saved and the slow one to be on its way',
        async () =>
          slow.held() === 1 &&
          (await childHistory(pipeline)).events?.some((event) => event.activityTaskCompletedEventAttributes),
      );
      await pipeline.client.workflow.getHandle(firstChildOf(pipeline)).cancel();
      await pipeline.quiet();
      slow.release();
      return { 'child-cancelled': await childHistory(pipeline) };
    },
  },
  {
    cases: ['child-terminated', 'child-settled', 'batcher-settling'],
    async record(start) {
      const pipeline = await start();
      const slow = holdSlowRecords(pipeline);
      await pipeline.send(['slow']);
      await waitFor('the slow record', () => slow.held() === 1);
      const childId = firstChildOf(pipeline);
      const runId = await runIdOf(pipeline, childId);
      await pipeline.client.workflow.getHandle(childId).terminate('recorder');
      await pipeline.quiet();
      slow.release();
      return {
        'child-terminated': await historyOf(pipeline, childId, runId),
        'child-settled': await childHistory(pipeline),
        'batcher-settling': await batcherHistory(pipeline),
      };
    },
  },
];
