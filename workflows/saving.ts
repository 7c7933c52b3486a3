import type { BatchPolicy } from '../src/contracts/batch';
import { saveIdInGroup } from '../src/contracts/ids';
import { SAVE_ACTIVITY } from '../src/contracts/settings';
import type { BatchRef } from '../src/domain/batch';
import type { SettledRecord } from '../src/domain/outcome';
import type { KeptRecord } from '../src/domain/record';
import { AttemptsInStep } from './attempts-in-step';
import { saveByActivity, type Saving } from './saving-by-activity';
import { saveLocally } from './saving-locally';

/** Of a workflow that holds one batch. */
export function savingOfBatch(policy: BatchPolicy): Saving {
  return {
    ...inForce(policy),
    activityIdOf: ({ recordId }) => recordId,
  };
}

/** Of one that holds several. They may hold the same record, sent twice. */
export function savingOfGroup(policy: BatchPolicy): Saving {
  return {
    ...inForce(policy),
    activityIdOf: ({ recordId }, { batchId }) => saveIdInGroup(batchId, recordId),
  };
}

function inForce({ maxAttempts, retryIntervalMs, saveActivity }: BatchPolicy) {
  return {
    maxAttempts,
    retryIntervalMs,
    ...(saveActivity !== undefined && { saveActivity }),
    localAttempts: new AttemptsInStep(),
  };
}

/** Brings the records of a batch to their outcomes. Never throws for a record that can't be saved (G9). */
export async function settleRecords(
  records: readonly KeptRecord[],
  batch: BatchRef,
  saving: Saving,
): Promise<SettledRecord[]> {
  const { saveActivity } = saving;
  if (saveActivity === SAVE_ACTIVITY.local || saveActivity === SAVE_ACTIVITY.batch)
    return saveLocally(records, batch, saving);
  return Promise.all(records.map((record) => saveByActivity(record, batch, saving)));
}
