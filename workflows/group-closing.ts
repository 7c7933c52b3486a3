import { condition, getExternalWorkflowHandle, log, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type {
  BatchGroupInput,
  BatchGroupMemo,
  BatchGroupResult,
  ClosedBatches,
} from '../src/contracts/batch';
import { sumClosed } from '../src/contracts/batch';
import { batchesClosedSignal } from '../src/contracts/batcher';
import type { BatchRef, FlushReason } from '../src/domain/batch';
import type { OutcomeFormat } from '../src/domain/outcome';
import {
  packOutcomes,
  tallyPacked,
  unpackOutcomes,
  type PackedBatch,
  type PackedOutcomes,
} from '../src/domain/packed-batch';
import type { KeptRecord } from '../src/domain/record';
import type { Saving } from './saving-by-activity';
import { describeBatchRefusal } from './save-failure';
import { showOutcomes } from './show-outcomes';
import { untilItSucceeds } from './until-it-succeeds';

export interface BatchInGroup {
  /** From 1. */
  place: number;
  ref: BatchRef;
  flushReason: FlushReason;
  packed: PackedBatch;
  records: KeptRecord[];
}

export interface SettledInGroup {
  outcomes: PackedOutcomes;
  /** Given when the batch has its file already. */
  location?: string;
}

type Settled = SettledInGroup & { batch: BatchInGroup };

/** What goes into one `closeBatches`, in characters of JSON: a payload may take 2 MiB. */
const MAX_PORTION_LENGTH = 512 * 1024;

/**
 * Closes batches as they are settled: all that are at that moment by one activity. Not while local attempts are under
 * way, as nothing is sent to the server before they are through, and that takes no more than a moment.
 */
export async function closeInWaves(
  batches: readonly BatchInGroup[],
  settling: readonly Promise<SettledInGroup>[],
  { outcomeFormat: format }: BatchGroupInput,
  { localAttempts }: Saving,
): Promise<BatchGroupResult> {
  const ready: Settled[] = [];
  const known: PackedOutcomes = [];
  const results = new Map<number, { location: string; outcomes: PackedOutcomes }>();
  const closed: NonNullable<BatchGroupMemo['closed']> = {};
  const tell = createTelling(() =>
    sumClosed(Object.values(closed).map((tally) => ({ ...tally, batches: 1 }))),
  );

  await Promise.all([...settling.map(enqueue), closeAll()]);
  return {
    batches: batches.map(({ place, ref }) => {
      const result = results.get(place);
      if (result === undefined) throw new TypeError(`${ref.batchId} was not closed`);
      return result;
    }),
  };

  async function enqueue(one: Promise<SettledInGroup>, i: number): Promise<void> {
    const settled = await one;
    const batch = batches[i];
    if (batch !== undefined) ready.push({ ...settled, batch });
  }

  async function closeAll(): Promise<void> {
    const closing: Promise<void>[] = [];
    for (let left = batches.length; left > 0;) {
      await condition(() => ready.length > 0 && !localAttempts.underWay);
      const wave = ready.splice(0);
      left -= wave.length;
      for (const { outcomes } of wave) known.push(...outcomes);
      showOutcomes(known.flatMap(([count, outcome]) => Array.from({ length: count }, () => outcome)));
      closing.push(...portionsOf(wave).map(close));
    }
    await Promise.all(closing);
  }

  async function close(wave: readonly Settled[]): Promise<void> {
    const open = wave.filter(({ location }) => location === undefined);
    const told = open.length === 0 ? [] : await closeTogether(open);
    const alone: Promise<void>[] = [];
    for (const settled of wave) {
      const location = settled.location ?? told[open.indexOf(settled)];
      if (location === undefined) alone.push(closeAlone(settled));
      else note(settled, location);
    }
    publish();
    await Promise.all(alone);
  }

  /** Where each batch is; undefined for what could not be closed. */
  async function closeTogether(wave: readonly Settled[]): Promise<(string | undefined)[]> {
    const { closeBatches } = untilItSucceeds(`${wave.length} batches`);
    const batches = wave.map(({ batch, outcomes }) => ({ ...batch.ref, records: batch.packed, outcomes }));
    try {
      const told = await closeBatches({ format, batches });
      return told.batches.map((one) => ('location' in one ? one.location : undefined));
    } catch (error) {
      // None could be closed, and the first was refused for good; each of them is asked for again.
      describeBatchRefusal(error);
      return wave.map(() => undefined);
    }
  }

  async function closeAlone(settled: Settled): Promise<void> {
    const { ref, records } = settled.batch;
    const { closeBatch } = untilItSucceeds(`${records.length} outcomes of ${ref.batchId}`);
    const outcomes = unpackOutcomes(settled.outcomes, records);
    try {
      const { location } = await closeBatch({ batch: ref, records: outcomes, format });
      note(settled, location);
    } catch (error) {
      const anew = await settleAnew(settled.batch, format, describeBatchRefusal(error));
      note({ ...settled, ...anew }, anew.location);
    }
    publish();
  }

  function note({ batch, outcomes }: Settled, location: string): void {
    results.set(batch.place, { location, outcomes });
    closed[batch.place] = { ...tallyPacked(outcomes), atMs: Date.now() };
  }

  function publish(): void {
    upsertMemo({ closed: { ...closed } });
    if (results.size < batches.length) void tell();
  }
}

/** The outcomes that are published already, or else everything rolled back for this reason; closed by that. */
export async function settleAnew(
  { ref, flushReason, records }: BatchInGroup,
  format: OutcomeFormat,
  reason: string,
): Promise<SettledInGroup & { location: string }> {
  const { settleBatch } = untilItSucceeds(`${records.length} records to settle: ${ref.batchId}`);
  const batch = { ...ref, flushReason, records };
  const { location, outcomes } = await settleBatch({ batch, format, reason, atMs: Date.now() });
  // As they are: they may stand in the file.
  return { location, outcomes: packOutcomes(outcomes) };
}

function portionsOf(wave: readonly Settled[]): Settled[][] {
  const portions: Settled[][] = [];
  let length = Infinity;
  for (const settled of wave) {
    const own = JSON.stringify([settled.batch.packed, settled.outcomes]).length;
    length += own;
    if (length > MAX_PORTION_LENGTH) {
      portions.push([]);
      length = own;
    }
    portions.at(-1)?.push(settled);
  }
  return portions;
}

/**
 * Tells the batcher how many batches are closed, one message at a time. It need not arrive: the end of the workflow tells
 * all. A run that settles has no parent, as somebody else has started it.
 */
function createTelling(count: () => ClosedBatches): () => Promise<void> {
  const { parent, workflowId } = workflowInfo();
  let telling = false;
  let more = false;
  return async () => {
    more = true;
    if (telling || parent === undefined) return;
    telling = true;
    while (more) {
      more = false;
      try {
        await getExternalWorkflowHandle(parent.workflowId).signal(batchesClosedSignal, workflowId, count());
      } catch (error) {
        log.warn('the batcher could not be told of closed batches', { error });
      }
    }
    telling = false;
  };
}
