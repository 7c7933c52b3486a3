import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, type SignalDefinition } from '@temporalio/common';
import {
  NO_COUNTS,
  addRecordsSignal,
  configureSignal,
  layoutUpdate,
  takeUpdate,
  type AcceptedRequest,
  type BatcherStatus,
  type OperatorAction,
  type RequestTrace,
  type TakeAnswer,
} from '../../contracts/workflow/batcher';
import type { NewRequest, RecordStream, StreamOptions } from '../../contracts/batcher-client';
import type { CommitInstruments } from '../../contracts/instruments';
import type { CommitTracing } from '../../contracts/tracing';
import type { ControlNote } from '../../contracts/workflow/controls';
import { limitsUpdate, type ShardLimits } from '../../contracts/workflow/limits';
import type { ShardReading } from '../../contracts/workflow/readings';
import type { BufferSample } from '../../contracts/workflow/buffer-sample';
import type { BufferWaits } from '../../contracts/workflow/waits';
import { SAVE_ACTIVITY, type PipelineSettings } from '../../contracts/workflow/settings';
import { createGroupCommit, type GroupLimits } from '../../concurrency/group-commit';
import { KIB, MIB, SECOND } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import type { FieldProblem } from '../../domain/field-problems';
import { NO_CUTS } from '../../domain/explain/cut-counts';
import type { KeyRef } from '../../domain/windows/key-window';
import { NO_LAYOUT, mergeLayouts, type Layout } from '../../domain/windows/layout';
import type { LimitsPatch } from '../../domain/limits';
import { withTrace } from '../../domain/records/trace-context';
import type { StreamProgress } from '../../domain/windows/stream-window';
import { createAdmission, type AdmissionLimits } from './admission';
import { loadOf, type Load } from './load';
import type { BatcherCalls } from './batcher-calls';
import { keyRefOf } from './digests';
import { GIVING_WAY, createGivingWay, type GivingWayLimits } from './giving-way';
import { NumberedSender, updateIdOf } from './numbered';
import { openRecordStream, partBounds } from './record-stream';
import { whenThereIsRoom } from './when-there-is-room';

/**
 * Requests that share a message: few enough that the batcher's run, which can only end between messages, ends in time. One
 * message at a time: with two, groups are half as large, and server and worker have twice the work.
 */
const GROUP_LIMITS: GroupLimits = { entries: 500, bytes: 128 * KIB, inFlight: 1, gatherMs: 10 };

/** How a stream is opened at its shard. */
export type NewStream = Pick<StreamOptions, 'stillWanted' | 'trace'>;

/**
 * One shard as its clients see it: everything that reaches its batcher goes through here.
 *
 *   list, stream, redrive ► admission (G6) ► group commit ► without a key: run budget ► signal `addRecords`
 *                                                          └ with a key: update `take`, whose answer is per request
 *   controls ► signals           limits ► update           questions ► update `read` (see BatcherCalls)
 *
 * A signal is durable without a worker (G3). An update needs one: without it, a list with a key is refused with
 * `temporal-unavailable` after ten seconds. It was then not accepted or is accepted once, even if the client repeats it
 * (G5). Create one per shard and process, because it keeps the counts of the admission.
 */
export class Shard {
  private readonly admission;
  private readonly commit;
  private readonly takeTogether;
  private readonly redrives = new NumberedSender();
  /** Bounds of one part of a stream. */
  readonly partBounds: Load;

  constructor(
    readonly shard: number,
    private readonly calls: BatcherCalls,
    private readonly settings: PipelineSettings,
    limits: AdmissionLimits,
    givingWay: GivingWayLimits = GIVING_WAY,
    instruments?: CommitInstruments,
    tracing?: CommitTracing,
  ) {
    this.admission = createAdmission(limits, () => this.status());
    this.partBounds = partBounds(limits);
    const [lists, keyed] = [new NumberedSender(), new NumberedSender()];
    // Without a worker, the run before may have received up to a MiB that counts too.
    const standingBytes = Math.min(givingWay.standingBytes, limits.maxBufferedBytes + 1 * MIB);
    const giveWay = createGivingWay(() => calls.run(), { ...givingWay, standingBytes });
    const observed = <Result>(commit: Commit<Result>) =>
      traced(tracing, calls.workflowId, timed(instruments, commit));
    this.commit = createGroupCommit<AcceptedRequest, undefined>(
      GROUP_LIMITS,
      observed(async (requests, bytes) => {
        await lists.send((origin) =>
          giveWay(bytes, () => calls.signal(addRecordsSignal, [requests, origin])),
        );
        return requests.map(() => undefined);
      }),
    );
    this.takeTogether = createGroupCommit<AcceptedRequest, TakeAnswer>(
      GROUP_LIMITS,
      observed((requests) =>
        keyed.send((origin) => calls.update(takeUpdate, [requests, origin], updateIdOf(origin))),
      ),
    );
  }

  /** Workflow id of its batcher. */
  get batcher(): string {
    return this.calls.workflowId;
  }

  /** Accepts a list without a key. See `BatcherClient.addRecords`. */
  async addRecords({ bytes, ...request }: NewRequest): Promise<void> {
    const load = loadOf(request.values, bytes);
    await this.admission.admit(load, () => this.commit(request, load.bytes));
  }

  /** Accepts a list with a key, or a part of a stream, unless it was accepted before (G5). */
  take(request: AcceptedRequest, load = loadOf(request.values)): Promise<TakeAnswer> {
    return this.admission.admit(load, () => this.takeTogether(request, load.bytes));
  }

  /** The same for a part of a stream, which waits for room. Rejects with `buffer-full` if there is none for 30 s. */
  takePart(request: AcceptedRequest, load: Load, stillWanted: () => boolean): Promise<TakeAnswer> {
    return whenThereIsRoom(() => this.take(request, load), stillWanted);
  }

  /** Accepts a stream without a key. See `BatcherClient.openStream`. */
  openStream(requestId: string, { stillWanted, trace }: NewStream): Promise<RecordStream> {
    const send = async (request: AcceptedRequest, load: Load): Promise<null> => {
      const commit = () => this.commit({ ...request, ...withTrace(trace) }, load.bytes);
      await whenThereIsRoom(() => this.admission.admit(load, commit), stillWanted);
      return null;
    };
    const channel = { send, progress: () => Promise.resolve(null) };
    return openRecordStream(channel, this.partBounds, requestId, undefined);
  }

  /** Buffers records again for an operator, each once. */
  async redrive(requests: AcceptedRequest[], action: OperatorAction): Promise<void> {
    const load = loadOf(requests.flatMap((request) => request.values));
    await this.admission.admit(load, () =>
      this.redrives.send((origin) =>
        this.calls.update(takeUpdate, [requests, origin, action], updateIdOf(origin)),
      ),
    );
  }

  /** Sends an operator's command; durable without a worker. */
  async control(signal: SignalDefinition<[OperatorAction?]>, action: OperatorAction): Promise<void> {
    await this.calls.signal(signal, [action]);
  }

  /** Puts this process's settings in force, and starts the batcher if it isn't running. */
  async configure(action: OperatorAction): Promise<void> {
    const { idKey } = this.calls;
    await this.calls.signal(
      configureSignal,
      idKey === undefined ? [this.settings, action] : [this.settings, action, idKey],
    );
  }

  /** @throws `invalid-request` with all problems, `temporal-unavailable` without a worker (retried by the client) */
  async changeLimits(patch: LimitsPatch, action: OperatorAction): Promise<ShardLimits> {
    try {
      const inForce = await this.calls.update(limitsUpdate, [patch, action]);
      return { shard: this.shard, batcher: this.batcher, ...inForce };
    } catch (error) {
      const { cause } = error instanceof WorkflowUpdateFailedError ? error : {};
      if (!(cause instanceof ApplicationFailure) || cause.type !== 'invalid-request') throw error;
      throw new KeepapartError('invalid-request', cause.message, {
        problems: cause.details?.[0] as FieldProblem[],
      });
    }
  }

  /** The batcher's status; an empty one if no batcher is open. */
  async status(): Promise<BatcherStatus> {
    return (await this.calls.ask({ about: 'status' })) ?? neverStarted(this.settings);
  }

  /** What operators did, the latest last; nothing if no batcher is open. */
  async controls(): Promise<ControlNote[]> {
    return (await this.calls.ask({ about: 'controls' })) ?? [];
  }

  /** What its buffer waits for; nothing if no batcher is open. */
  async waits(): Promise<BufferWaits> {
    return (await this.calls.ask({ about: 'waits' })) ?? { counts: [], rules: [] };
  }

  /** The first records of its buffer; nothing if no batcher is open. */
  async sample(): Promise<BufferSample> {
    return (await this.calls.ask({ about: 'buffer' })) ?? { records: [], more: 0 };
  }

  /** The batcher's status and waits at this moment; undefined if no batcher is open. */
  async read(): Promise<ShardReading | undefined> {
    const { shard, batcher } = this;
    const atMs = Date.now();
    // Together, so that they share a workflow task.
    const [status, waits] = await Promise.all([
      this.calls.ask({ about: 'status' }),
      this.calls.ask({ about: 'waits' }),
    ]);
    if (status === undefined || waits === undefined) return undefined;
    return { shard, batcher, atMs, status, waits };
  }

  /** What the batcher knows of a request. */
  async trace(requestId: string, withWaits = false): Promise<RequestTrace> {
    const trace = await this.calls.ask({ about: 'request', requestId, withWaits });
    return trace ?? { size: null, bufferedIndexes: [], inFlightChildIds: [], pageIds: [] };
  }

  /** Which of the requests the batcher has accepted, with their ids as keys, as far as it remembers. */
  async known(requestIds: readonly string[]): Promise<string[]> {
    const bodies = await this.calls.ask({ about: 'keys', keys: requestIds.map(keyRefOf) });
    return requestIds.filter((_, i) => (bodies?.[i] ?? null) !== null);
  }

  /** Whether a list or stream was accepted under a key, as far as the batcher remembers. */
  async knows(key: KeyRef): Promise<boolean> {
    const bodies = await this.calls.ask({ about: 'keys', keys: [key] });
    return (bodies?.[0] ?? null) !== null;
  }

  /** The layout that the batcher knows. */
  async layout(): Promise<Layout> {
    return (await this.calls.ask({ about: 'layout' })) ?? NO_LAYOUT;
  }

  /** Proposes a layout to the batcher. @returns the layout that it, or a terminated one before it, knows afterwards */
  async adoptLayout(layout: Layout): Promise<Layout> {
    return mergeLayouts(await this.calls.update(layoutUpdate, [layout]), await this.layout());
  }

  /** How far the stream of a key was accepted; null for an unknown key. */
  async streamProgress(requestId: string): Promise<StreamProgress | null> {
    return (await this.calls.ask({ about: 'stream', key: keyRefOf(requestId) })) ?? null;
  }
}

type Commit<Result> = (requests: AcceptedRequest[], bytes: number) => Promise<readonly Result[]>;

function timed<Result>(instruments: CommitInstruments | undefined, commit: Commit<Result>): Commit<Result> {
  if (instruments === undefined) return commit;
  return async (requests, bytes) => {
    const begunAtMs = performance.now();
    try {
      return await commit(requests, bytes);
    } finally {
      instruments.committed(requests.length, (performance.now() - begunAtMs) / SECOND);
    }
  };
}

function traced<Result>(
  tracing: CommitTracing | undefined,
  batcher: string,
  commit: Commit<Result>,
): Commit<Result> {
  if (tracing === undefined) return commit;
  return async (requests, bytes) => {
    const contexts = requests.flatMap(({ trace }) => trace ?? []);
    if (contexts.length === 0) return commit(requests, bytes);
    const startedAtMs = Date.now();
    const begunAt = performance.now();
    let failed = true;
    try {
      const results = await commit(requests, bytes);
      failed = false;
      return results;
    } finally {
      const endedAtMs = startedAtMs + (performance.now() - begunAt);
      tracing.committed({ batcher, requests: requests.length, contexts, startedAtMs, endedAtMs, failed });
    }
  };
}

function neverStarted(settings: PipelineSettings): BatcherStatus {
  const { saveActivity } = settings;
  return {
    bufferedRecords: 0,
    bufferedBytes: 0,
    oldestAcceptedAtMs: null,
    oldestDueAtMs: null,
    inFlight: 0,
    inFlightRecords: 0,
    unaccounted: 0,
    counters: NO_COUNTS,
    cuts: { ...NO_CUTS, deferredBy: [] },
    saving: {
      shape: saveActivity === SAVE_ACTIVITY.batch ? saveActivity : SAVE_ACTIVITY.record,
      sinceMs: 0,
      due: null,
      storeIsSlow: false,
    },
    paused: null,
    pace: null,
    storeAway: null,
    drain: null,
    pages: 0,
    settings,
    overridden: {},
    run: { historyEvents: 0, historyBytes: 0, messages: 0, continuedAsNew: 0 },
  };
}
