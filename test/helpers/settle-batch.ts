import type { BatchRef } from '../../src/domain/records/batch';
import { isKeepapartError } from '../../src/domain/errors';
import { OUTCOME, type OutcomeFormat, type SettledRecord } from '../../src/domain/records/outcome';
import { closeTogether, saveTogether, type RecordStore } from '../../src/domain/records/record-store';

/** A batch whose outcomes are known, as its workflow would bring it into the store. */
export interface Settlement {
  batch: BatchRef;
  records: SettledRecord[];
  format: OutcomeFormat;
  /** Saves and closes by the store's calls for several at once. */
  together?: boolean;
}

/** What became of one step; `error` as the catalogue has it. */
export interface StepReport {
  step: number;
  error?: { code: string; message: string };
}

/** Saves, rollbacks and the closing, in the order of the batch workflow, one after another. */
export function stepsOf(
  store: RecordStore,
  { batch, records, format, together = false }: Settlement,
): (() => Promise<unknown>)[] {
  const exhausted = records.filter(({ outcome }) => outcome === OUTCOME.rolledBack);
  const saves = together
    ? [async () => allOf((await saveTogether(store, [{ batch, records }])).flat())]
    : records.map((record) => () => store.save(record, batch));
  return [
    ...saves,
    ...exhausted.map((record) => () => store.rollback(record, batch)),
    together
      ? async () => allOf(await closeTogether(store, [{ batch, records }], format))
      : () => store.closeBatch(batch, records, format),
  ];
}

/** @throws what the first of them failed with */
function allOf(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Does the steps from the one given on, each once, and reports each as soon as it is over. */
export async function settle(
  store: RecordStore,
  settlement: Settlement,
  report: (done: StepReport) => void = () => undefined,
  from = 0,
): Promise<void> {
  for (const [step, run] of stepsOf(store, settlement).entries()) {
    if (step < from) continue;
    try {
      await run();
      report({ step });
    } catch (error) {
      if (!isKeepapartError(error)) throw error;
      report({ step, error: { code: error.code, message: error.message } });
    }
  }
}
