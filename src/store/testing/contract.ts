import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Batch, BatchRef } from '../../domain/records/batch';
import { isKeepapartError } from '../../domain/errors';
import { OUTCOME, type SettledRecord } from '../../domain/records/outcome';
import type { KeptRecord } from '../../domain/records/record';
import {
  closeTogether,
  rollBackTogether,
  saveTogether,
  type RecordStore,
} from '../../domain/records/record-store';
import { brings, rolledBack, saved, settle, stepsOf } from './steps';
import type { Settlement, StoreUnderTest } from './subject';

/** One promise of every record store. */
export interface Clause {
  /** A whole sentence: what is true of the store. */
  title: string;
  /** Rejects with what is wrong. */
  check(subject: StoreUnderTest): Promise<void>;
}

/** A new batch with these records, which no store has seen. */
function newBatch({ values }: StoreUnderTest, size: number): Batch {
  const id = randomUUID();
  const records = values
    .slice(0, size)
    .map((value, i): KeptRecord => ({ recordId: `contract-${id}:${i}`, value }));
  return { batchId: `contract-${id}`, openedAtMs: Date.now(), flushReason: 'size', records };
}

/** Checks that the store holds each saved record once, and no other, as far as that can be seen. */
async function holds({ find, undoes }: StoreUnderTest, records: readonly SettledRecord[]): Promise<void> {
  if (find === undefined) return;
  const found = await find(records.map(({ recordId }) => recordId));
  for (const { recordId, outcome } of records) {
    if (outcome === OUTCOME.rolledBack && !undoes) continue;
    const times = found.filter((one) => one === recordId).length;
    const wanted = outcome === OUTCOME.saved ? 1 : 0;
    assert.equal(times, wanted, `the store holds ${recordId}, which is ${outcome}, ${times} times`);
  }
}

/** Checks that a closed batch has these outcomes. */
async function reads(store: RecordStore, batch: Batch, outcomes: readonly SettledRecord[]): Promise<void> {
  const read = await store.readBatch(batch);
  const told = (records: readonly SettledRecord[] = []) =>
    records.map(({ recordId, value, outcome }) => ({ recordId, value, outcome }));
  assert.deepEqual(told(read?.records), told(outcomes), 'the closed batch has other outcomes');
}

async function failsWith(code: string, call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(isKeepapartError(error), `expected an error ${code}, received ${String(error)}`);
  assert.equal(error.code, code, error.message);
}

/** The first record is rolled back, the others are saved. */
function outcomesOf({ records }: Batch): SettledRecord[] {
  return records.map((record, i) => (i === 0 ? rolledBack(record) : saved(record)));
}

async function saveAndClose(store: RecordStore, batch: Batch): Promise<SettledRecord[]> {
  const outcomes = outcomesOf(batch);
  for (const run of stepsOf(store, { batch, records: outcomes, format: 'json' })) await run();
  return outcomes;
}

/** Activities of a terminated run that a worker may still execute late. */
const LATE: Record<string, (store: RecordStore, batch: Batch) => Promise<unknown>> = {
  'a late save': (store, { records, ...batch }) => store.save(records[1] as KeptRecord, batch),
  'a late rollback': (store, { records, ...batch }) => store.rollback(records[1] as KeptRecord, batch),
  'a late closing': (store, batch) => store.closeBatch(batch, outcomesOf(batch), 'json'),
};

/** What every store promises; see {@link RecordStore}. Each clause is checked with a store of its own. */
export const CONTRACT: readonly Clause[] = [
  {
    title: 'a batch is closed with an outcome for each record, in batch order, and can be read',
    async check(subject) {
      const store = await subject.worker();
      const batch = newBatch(subject, 5);
      const outcomes = await saveAndClose(store, batch);
      await reads(store, batch, outcomes);
      await holds(subject, outcomes);
      assert.deepEqual(await subject.leftovers(), []);
    },
  },
  {
    title: 'several batches are saved, rolled back and closed together as they are one by one',
    async check(subject) {
      const store = await subject.worker();
      const batches = [1, 3, 5].map((size) => newBatch(subject, size));
      const settled = batches.map((batch) => ({ batch, records: outcomesOf(batch) }));
      for (const result of (
        await saveTogether(
          store,
          batches.map((batch) => ({ batch, records: batch.records })),
        )
      ).flat())
        assert.equal(result.status, 'fulfilled');
      const exhausted = batches.map((batch) => ({ batch, records: batch.records.slice(0, 1) }));
      for (const result of (await rollBackTogether(store, exhausted)).flat())
        assert.equal(result.status, 'fulfilled');
      for (const result of await closeTogether(store, settled, 'json'))
        assert.equal(result.status, 'fulfilled');
      for (const { batch, records } of settled) await reads(store, batch, records);
      await holds(
        subject,
        settled.flatMap(({ records }) => records),
      );
      assert.deepEqual(await subject.leftovers(), []);
    },
  },
  {
    title: 'G4: nothing further happens when it is asked to save, roll back or close once more',
    async check(subject) {
      const store = await subject.worker();
      const batch = newBatch(subject, 3);
      const outcomes = outcomesOf(batch);
      for (const again of [false, true]) {
        for (const run of stepsOf(store, { batch, records: outcomes, format: 'json' }).slice(
          again ? -1 : 0,
        )) {
          await run();
          await run();
        }
      }
      await reads(store, batch, outcomes);
      await holds(subject, outcomes);
    },
  },
  {
    title: 'a save that another worker makes once more stores the record once (G4)',
    async check(subject) {
      const [first, second] = [await subject.worker(), await subject.worker()];
      const batch = newBatch(subject, 2);
      const outcomes = batch.records.map(saved);
      for (const store of [first, second])
        for (const record of batch.records) await store.save(record, batch);
      await second.closeBatch(batch, outcomes, 'json');
      await holds(subject, outcomes);
    },
  },
  {
    title: 'a rollback undoes what was saved, and the record may be saved again afterwards',
    async check(subject) {
      const store = await subject.worker();
      const batch = newBatch(subject, 2);
      const [first, second] = batch.records as [KeptRecord, KeptRecord];
      for (const record of batch.records) await store.save(record, batch);
      await store.rollback(first, batch);
      await holds(subject, [rolledBack(first), saved(second)]);
      await store.save(first, batch);
      await holds(subject, batch.records.map(saved));
      await store.closeBatch(batch, batch.records.map(saved), 'json');
    },
  },
  {
    title: 'a rollback of what was never saved is fine',
    async check(subject) {
      const store = await subject.worker();
      const batch = newBatch(subject, 1);
      for (const record of batch.records) await store.rollback(record, batch);
      await store.closeBatch(batch, batch.records.map(rolledBack), 'json');
      await reads(store, batch, batch.records.map(rolledBack));
    },
  },
  {
    title: 'G4: a save that comes after its batch was closed is refused, and nothing of it stays',
    async check(subject) {
      const [first, second] = [await subject.worker(), await subject.worker()];
      const batch = newBatch(subject, 1);
      const outcomes = batch.records.map(rolledBack);
      await first.closeBatch(batch, outcomes, 'json');
      for (const record of batch.records) await failsWith('batch-already-closed', second.save(record, batch));
      await holds(subject, outcomes);
      assert.deepEqual(await subject.leftovers(), []);
    },
  },
  {
    title: 'a late rollback leaves alone what a closed batch has published as saved (G4)',
    async check(subject) {
      const [first, second] = [await subject.worker(), await subject.worker()];
      const batch = newBatch(subject, 2);
      const outcomes = await saveAndClose(first, batch);
      for (const record of batch.records) await second.rollback(record, batch);
      await reads(first, batch, outcomes);
      await holds(subject, outcomes);
    },
  },
  {
    title: 'a batch is known only when it is closed',
    async check(subject) {
      const store = await subject.worker();
      const batch = newBatch(subject, 2);
      assert.equal(await store.readBatch(batch), undefined);
      for (const record of batch.records) await store.save(record, batch);
      assert.equal(await store.readBatch(batch), undefined);
      await store.closeBatch(batch, batch.records.map(saved), 'json');
      await reads(store, batch, batch.records.map(saved));
    },
  },
  {
    title: 'a batch that says of a record that it is saved when it is not is not closed',
    async check(subject) {
      const store = await subject.worker();
      const batch = newBatch(subject, 2);
      const [first, second] = batch.records as [KeptRecord, KeptRecord];
      await store.save(first, batch);
      const closing = () => store.closeBatch(batch, batch.records.map(saved), 'json');
      await failsWith('staged-record-missing', closing());
      assert.equal(await store.readBatch(batch), undefined);
      await store.save(second, batch);
      await closing();
      await holds(subject, batch.records.map(saved));
    },
  },
  {
    title: 'G4: a batch is closed once when three workers do it at the same time, and all succeed',
    async check(subject) {
      const workers = [await subject.worker(), await subject.worker(), await subject.worker()] as const;
      for (let round = 0; round < 5; round++) {
        const batch = newBatch(subject, 1);
        for (const record of batch.records) await workers[0].save(record, batch);
        const outcomes = batch.records.map(saved);
        await Promise.all(workers.map((worker) => worker.closeBatch(batch, outcomes, 'text')));
        await reads(workers[0], batch, outcomes);
        await holds(subject, outcomes);
      }
    },
  },
  {
    title:
      'G10: of two workers that close a batch with different outcomes, the first one stands, however close they come',
    async check(subject) {
      const workers = [await subject.worker(), await subject.worker()];
      for (let round = 0; round < 5; round++) {
        const batch = newBatch(subject, 1);
        const outcomes = [batch.records.map(saved), batch.records.map(rolledBack)];
        for (const record of batch.records) await workers[0]?.save(record, batch);
        const results = await Promise.allSettled(
          workers.map((worker, i) => worker.closeBatch(batch, outcomes[i] ?? [], 'json')),
        );
        const winner = results.findIndex(({ status }) => status === 'fulfilled');
        const loser = results[1 - winner];
        assert.equal(loser?.status, 'rejected', 'both have closed it');
        await failsWith('batch-file-conflict', Promise.reject(loser.reason as Error));
        await reads(workers[0] as RecordStore, batch, outcomes[winner] ?? []);
      }
    },
  },
  ...Object.entries(LATE).map(([name, come]): Clause => ({
    title: `G4, G10: ${name} changes nothing that settling has published, and the other way round, at whichever step one overtakes the other`,
    async check(subject) {
      const [first, second] = [await subject.worker(), await subject.worker()];
      let rounds = 0;
      for (const lateIsOvertaken of [true, false]) {
        for (let point = 1, overtaken = true; overtaken; point++, rounds++) {
          const batch = newBatch(subject, 2);
          for (const record of batch.records.slice(0, name === 'a late save' ? 1 : 2))
            await first.save(record, batch);
          let settled: SettledRecord[] | undefined;
          const settling = async (): Promise<void> => void (settled = await settle(first, batch));
          const coming = (): Promise<void> => tolerated(come(second, batch));
          overtaken = lateIsOvertaken
            ? await inTheMiddleOf(subject, coming, settling, point)
            : await inTheMiddleOf(subject, settling, coming, point);
          const outcomes = settled ?? (await settle(first, batch));
          await reads(second, batch, outcomes);
          await holds(subject, outcomes);
          assert.deepEqual(await subject.leftovers(), []);
        }
      }
      assert.ok(rounds > 3, `only ${rounds} steps were seen`);
    },
  })),
  {
    title:
      'G4, G10: wherever a worker is killed, the next one finishes its batch, and no record is stored twice',
    async check(subject) {
      const { killAt } = subject;
      if (killAt === undefined) return;
      let point = 1;
      for (let killed = true; killed; point++) {
        const batch: Batch = newBatch(subject, 3);
        const settlement: Settlement = { batch: refOf(batch), records: outcomesOf(batch), format: 'json' };
        const worker = await killAt(settlement, point);
        killed = worker.killed;
        // Whatever was reported is in Temporal's history; everything else is repeated.
        const store = await subject.worker();
        await brings(store, settlement, worker.done);
        await reads(store, batch, settlement.records);
        await holds(subject, settlement.records);
        assert.deepEqual(await subject.leftovers(), []);
      }
      assert.ok(point > 5, `only ${point} steps were seen`);
    },
  },
];

function refOf({ batchId, openedAtMs }: Batch): BatchRef {
  return { batchId, openedAtMs };
}

/** Rethrows only errors that aren't in the catalogue: nobody waits for the call. */
async function tolerated(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!isKeepapartError(error)) throw error;
  });
}

/**
 * Runs one thing in the middle of another: before its n-th step, as far as it gets without the other one continuing.
 * @returns false if there is no n-th step
 */
export async function inTheMiddleOf(
  subject: Pick<StoreUnderTest, 'intercept' | 'overOrBlocked'>,
  outer: () => Promise<void>,
  inner: () => Promise<void>,
  point: number,
): Promise<boolean> {
  let steps = 0;
  let inside: Promise<void> | undefined;
  const restore = subject.intercept(async () => {
    // Steps of the inner one are not intercepted.
    if (inside !== undefined || ++steps !== point) return;
    inside = inner();
    await subject.overOrBlocked(inside);
  });
  try {
    await outer();
    await inside;
  } finally {
    restore();
  }
  return inside !== undefined;
}
