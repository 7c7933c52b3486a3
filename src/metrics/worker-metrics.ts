import { FLUSH_REASON } from '../domain/records/batch';
import { SECOND } from '../domain/duration';
import { OUTCOME } from '../domain/records/outcome';
import type { BatchInstruments, SaveInstruments } from '../contracts/instruments';
import type { MetricRegistry } from './registry';

/** How a batch ended. */
const STATE = { completed: 'completed', failed: 'failed' } as const;

/** The metrics of a process with a worker about batches. */
export function batchMetrics(registry: MetricRegistry): BatchInstruments {
  const wait = registry.histogram('keepapart_record_wait_seconds');
  const duration = registry.histogram('keepapart_record_duration_seconds');
  const outcomes = registry.counter('keepapart_outcomes_total');
  const attempts = registry.histogram('keepapart_save_attempts');
  const batchRecords = registry.histogram('keepapart_batch_records');
  const batchDuration = registry.histogram('keepapart_batch_duration_seconds');
  const batches = registry.counter('keepapart_batches_total');
  const places = registry.counter('keepapart_batch_places_total');
  const filled = registry.counter('keepapart_batch_filled_places_total');
  const undoFailures = registry.counter('keepapart_undo_failures_total');
  // Rare series must exist in advance; otherwise their first value doesn't count as an increase.
  for (const outcome of Object.values(OUTCOME)) outcomes.inc({ outcome }, 0);
  for (const reason of Object.values(FLUSH_REASON))
    for (const state of Object.values(STATE)) batches.inc({ reason, state }, 0);

  return {
    batchesClosed(reports) {
      for (const { reason, places: held, tookMs, saved, rolledBack, undoFailed, ...report } of reports) {
        const labels = { reason, state: STATE.completed };
        batches.inc(labels);
        batchRecords.observe(labels, saved + rolledBack);
        batchDuration.observe(labels, tookMs / SECOND);
        places.inc(held);
        filled.inc(saved + rolledBack);
        outcomes.inc({ outcome: OUTCOME.saved }, saved);
        outcomes.inc({ outcome: OUTCOME.rolledBack }, rolledBack);
        if (undoFailed > 0) undoFailures.inc(undoFailed);
        for (const [value, times] of report.attempts) repeat(times, () => attempts.observe(value));
        for (const { waitedMs, saved, rolledBack } of report.waits) {
          repeat(saved + rolledBack, () => wait.observe({ reason }, waitedMs / SECOND));
          const seconds = (waitedMs + tookMs) / SECOND;
          repeat(saved, () => duration.observe({ outcome: OUTCOME.saved }, seconds));
          repeat(rolledBack, () => duration.observe({ outcome: OUTCOME.rolledBack }, seconds));
        }
      }
    },
    batchesEndedEarly(reports) {
      for (const { reason, batches: ended } of reports) batches.inc({ reason, state: STATE.failed }, ended);
    },
  };
}

function repeat(times: number, observe: () => void): void {
  for (let i = 0; i < times; i++) observe();
}

/** Names of stores in labels; all of the users' own stores share one. */
const STORES = ['file', 'postgres', 'http', 's3'];

/** The metrics of a process with a worker about its store. */
export function saveMetrics(registry: MetricRegistry, configured: string): SaveInstruments {
  const duration = registry.histogram('keepapart_save_attempt_duration_seconds');
  const store = STORES.includes(configured) ? configured : 'module';
  return { saveEnded: (result, seconds) => duration.observe({ store, result }, seconds) };
}
