import type {
  CloseBatchesInput,
  CloseBatchesResult,
  PackedBatches,
  RollbackResult,
  SaveBatchesInput,
  SaveBatchesResult,
  SaveInput,
  SettleBatchInput,
  SettleBatchResult,
} from '../src/contracts/workflow/activities';
import type { StoreCall, StoreCallKind, StoreCallTracing } from '../src/contracts/tracing';
import { OUTCOME } from '../src/domain/records/outcome';
import type { AttemptEnd } from './store-call';

type Ended<Result> = (end: AttemptEnd<Result>) => void;

/** What one batch has of an attempt. */
type OfBatch = Pick<StoreCall, 'batch' | 'records'> & Partial<Pick<StoreCall, 'recordId'>>;

/**
 * Reports attempts of activities to the traces of their batches: of sampled batches every attempt, of others what makes
 * them part of a trace, which is a rollback, the closing of a batch with one, and a settling. Each function returns
 * undefined if there is nothing to report.
 */
export function traceAttempts(tracing: StoreCallTracing) {
  function report<Result>(
    kind: StoreCallKind,
    batches: readonly (OfBatch | undefined)[],
    result: (result: Result, batch: number) => Partial<StoreCall>,
    attempt?: number,
  ): Ended<Result> | undefined {
    if (batches.every((batch) => batch === undefined)) return undefined;
    return (end) => {
      const { startedAtMs, endedAtMs } = end;
      for (const [i, of] of batches.entries()) {
        if (of === undefined) continue;
        const how = 'error' in end ? { failed: of.records, error: end.error } : result(end.result, i);
        tracing.storeCallEnded({
          kind,
          ...of,
          attempt: attempt ?? end.attempt,
          startedAtMs,
          endedAtMs,
          failed: 0,
          ...how,
        });
      }
    };
  }

  return {
    save({ record, batch, traced }: SaveInput): Ended<unknown> | undefined {
      const { recordId } = record;
      return report('save', [traced && { batch, records: 1, recordId }], () => ({ failed: 0 }));
    },
    saveBatches(input: SaveBatchesInput): Ended<SaveBatchesResult> | undefined {
      return report(
        'save',
        partsOf(input, ({ traced }) => traced === true),
        countFailed,
        input.attempt ?? 1,
      );
    },
    rollback(input: PackedBatches): Ended<RollbackResult> | undefined {
      return report('rollback', partsOf(input, always), countFailed);
    },
    closeBatches(input: CloseBatchesInput): Ended<CloseBatchesResult> | undefined {
      const isRolledBack = (kind: number) => input.kinds[kind]?.outcome === OUTCOME.rolledBack;
      const batches = partsOf(
        input,
        ({ traced, outcomes }) => traced === true || outcomes.some(isRolledBack),
      );
      return report('close', batches, ({ batches: closed }, i) => {
        const one = closed[i];
        if (one === undefined || 'failed' in one) return { error: 'store-failed' };
        return 'refused' in one ? { error: 'batch-rejected' } : one;
      });
    },
    settleBatch({ batch }: SettleBatchInput): Ended<SettleBatchResult> | undefined {
      const { batchId, openedAtMs, records } = batch;
      const part = { batch: { batchId, openedAtMs }, records: records.length };
      return report('settle', [part], ({ location }) => ({ location }));
    },
  };
}

const always = (): boolean => true;

function partsOf<Batch extends PackedBatches['batches'][number]>(
  { openedAtMs, batches }: { openedAtMs: number; batches: readonly Batch[] },
  isTraced: (batch: Batch) => boolean,
): (OfBatch | undefined)[] {
  return batches.map((batch) => {
    if (!isTraced(batch)) return undefined;
    const records = batch.records.reduce((sum, [, , values]) => sum + values.length, 0);
    return { batch: { batchId: batch.batchId, openedAtMs }, records };
  });
}

/** How many records of a batch failed. */
function countFailed({ failed }: Pick<SaveBatchesResult, 'failed'>, batch: number): { failed: number } {
  return { failed: failed.filter(([of]) => of === batch).length };
}
