import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../src/contracts/search-attributes';
import { tallyOutcomes, type RecordOutcome } from '../src/domain/outcome';

/** Makes a batch, or several that share a workflow, findable in the Web UI by how they ended. */
export function showOutcomes(outcomes: readonly Omit<RecordOutcome, 'recordId'>[]): void {
  const { saved, rolledBack, retries } = tallyOutcomes(outcomes);
  const undoFailed = outcomes.filter(({ rollbackError }) => rollbackError !== undefined).length;
  upsertSearchAttributes([
    { key: SEARCH_ATTRIBUTES.saved, value: saved },
    { key: SEARCH_ATTRIBUTES.rolledBack, value: rolledBack },
    { key: SEARCH_ATTRIBUTES.retries, value: retries },
    ...(undoFailed > 0 ? [{ key: SEARCH_ATTRIBUTES.undoFailed, value: true }] : []),
  ]);
  setCurrentDetails(
    `${saved} saved, ${rolledBack} rolled back${undoFailed > 0 ? `, ${undoFailed} undo failed` : ''}`,
  );
}
