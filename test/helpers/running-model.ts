import { Held, type PackedHeld } from '../../src/domain/running/held';
import { Holds } from '../../src/domain/running/holds';
import {
  nextRunningFlushAtMs,
  takeRunningFlushes,
  type Apart,
} from '../../src/domain/running/running-flushes';
import {
  appendRequest,
  bufferedRecordId,
  emptyBuffer,
  flushAll,
  packBuffer,
  unpackBuffer,
  type BufferedRecord,
  type PackedBuffer,
  type RecordBuffer,
} from '../../src/domain/buffer/buffer';
import { conflicts, type ConflictRule } from '../../src/domain/rules';
import type { Flush, FlushPolicy } from '../../src/domain/buffer/flush-policy';
import type { JsonValue } from '../../src/domain/json';

export interface RunningPolicy extends FlushPolicy {
  apartMs: number;
}

interface Running {
  records: BufferedRecord[];
  endedAtMs: number | undefined;
}

/**
 * A buffer whose batches run and end, with everything remembered that the code under test forgets: values of records in
 * flight, and who conflicts with whom by the plain definition.
 */
export class RunningModel {
  nowMs = 1_000_000;
  buffer: RecordBuffer = emptyBuffer();
  apart: Apart;
  /** Every batch that was taken, by its number from 0. */
  readonly batches: Running[] = [];
  /** By record id: how many older ones that it conflicts with waited when it came, and how often it saw one start. */
  readonly patience = new Map<string, { ahead: number; seen: number }>();
  /** By the ids of two records: whether they conflict, as the plain definition is slow. */
  private readonly judged = new Map<string, boolean>();
  private requests = 0;

  constructor(public policy: RunningPolicy) {
    this.apart = { holds: new Holds(policy.conflicts), held: new Held(policy.apartMs) };
  }

  get inFlight(): number[] {
    return this.batches.flatMap(({ endedAtMs }, seq) => (endedAtMs === undefined ? [seq] : []));
  }

  /** Without comparing each with all others, for many. */
  arriveUnwatched(values: JsonValue[]): void {
    appendRequest(this.buffer, { requestId: `r${this.requests++}`, values }, this.nowMs);
  }

  arrive(values: JsonValue[]): void {
    const before = this.buffer.waiting.length;
    this.arriveUnwatched(values);
    const { waiting } = this.buffer;
    for (const [i, record] of waiting.entries()) {
      if (i < before) continue;
      const ahead = waiting.slice(0, i).filter((older) => this.areApart(older, record)).length;
      this.patience.set(bufferedRecordId(record), { ahead, seen: 0 });
    }
  }

  /** Takes batches, lets them begin, and returns what is wrong with that, found by comparing every pair. */
  take(limit: number): { flushes: Flush[]; problems: string[] } {
    const before = this.batches.length;
    const waiting = [...this.buffer.waiting];
    const flushes = this.takeUnchecked(limit);
    const going = flushes.flatMap(({ records }) => records);
    return {
      flushes,
      problems: [
        ...this.problemsOfBatches(flushes),
        ...this.problemsBesideOthers(going, this.batches.slice(0, before)),
        ...this.overtaken(waiting, going),
      ],
    };
  }

  takeUnchecked(limit: number): Flush[] {
    const flushes = takeRunningFlushes(this.buffer, this.policy, this.apart, this.nowMs, limit);
    for (const { records } of flushes) {
      this.apart.held.begin(this.batches.length, this.apart.holds.ofAll(records));
      this.batches.push({ records, endedAtMs: undefined });
    }
    return flushes;
  }

  nextAtMs(): number | undefined {
    return nextRunningFlushAtMs(this.buffer, this.policy, this.apart, this.nowMs);
  }

  end(seq: number): void {
    this.batches[seq]!.endedAtMs = this.nowMs;
    this.apart.held.end(seq, this.nowMs);
  }

  flushAll(): void {
    flushAll(this.buffer, 'manual');
  }

  changeRules(conflictRules: ConflictRule[]): void {
    this.policy = { ...this.policy, conflicts: conflictRules };
    const held = Held.amongStrangers(this.policy.apartMs, this.inFlight, this.batches.length, this.nowMs);
    this.apart = { holds: new Holds(conflictRules), held };
    // By other rules others conflict: what was counted stands for nothing any more.
    this.patience.clear();
    this.judged.clear();
  }

  /** Through JSON, as continue-as-new does it. */
  handOver(): void {
    const carried = JSON.parse(JSON.stringify([packBuffer(this.buffer), this.apart.held.pack()])) as [
      PackedBuffer,
      PackedHeld,
    ];
    this.buffer = unpackBuffer(carried[0]);
    const held = Held.unpack(carried[1], this.policy.apartMs, this.inFlight);
    this.apart = { holds: new Holds(this.policy.conflicts), held };
  }

  areApart(a: BufferedRecord, b: BufferedRecord): boolean {
    const pair = `${bufferedRecordId(a)} ${bufferedRecordId(b)}`;
    const known = this.judged.get(pair) ?? conflicts(a.value, b.value, this.policy.conflicts);
    this.judged.set(pair, known);
    return known;
  }

  /** Whether a record conflicts with one that runs, or ended too recently, by the rules in force. */
  isKeptByRunning(record: BufferedRecord, batches: readonly Running[] = this.batches): boolean {
    return batches.some(
      ({ records, endedAtMs }) =>
        (endedAtMs === undefined || endedAtMs + this.policy.apartMs > this.nowMs) &&
        records.some((other) => this.areApart(other, record)),
    );
  }

  isDue({ acceptedAtMs, seq }: BufferedRecord): boolean {
    return acceptedAtMs + this.policy.flushIntervalMs <= this.nowMs || seq < this.buffer.flushBeforeSeq;
  }

  private problemsOfBatches(flushes: readonly Flush[]): string[] {
    return flushes.flatMap(({ records, reason }) => [
      ...(records.length > this.policy.maxBatchSize ? ['over size (G1)'] : []),
      ...(records.length === 0 ? ['empty'] : []),
      ...(reason === 'size' && records.length < this.policy.maxBatchSize ? ['not full, though size'] : []),
      ...(reason !== 'size' && !records.some((record) => this.isDue(record)) ? ['not due'] : []),
    ]);
  }

  private problemsBesideOthers(going: readonly BufferedRecord[], others: readonly Running[]): string[] {
    return going.flatMap((a, i) => [
      ...(this.isKeptByRunning(a, others) ? [`${bufferedRecordId(a)} beside one that runs`] : []),
      ...(going.slice(i + 1).some((b) => this.areApart(a, b)) ? ['two that conflict go at once'] : []),
    ]);
  }

  /** Who goes before an older one that it conflicts with goes with one that is older still; and nobody does so for ever. */
  private overtaken(waiting: readonly BufferedRecord[], going: readonly BufferedRecord[]): string[] {
    const gone = new Set(going);
    return waiting.flatMap((record) => {
      if (gone.has(record)) return [];
      const starting = going.filter((other) => this.areApart(other, record));
      if (starting.length === 0) return [];
      const id = bufferedRecordId(record);
      const patience = this.patience.get(id);
      if (patience !== undefined) patience.seen++;
      return [
        ...(starting.some(({ seq }) => seq < record.seq) ? [] : [`${id} is overtaken by younger ones alone`]),
        ...(patience !== undefined && patience.seen > patience.ahead ? [`${id} is overtaken for ever`] : []),
      ];
    });
  }
}
