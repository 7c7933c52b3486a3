import { NO_COUNTS, type AcceptedRequest } from '../../src/contracts/workflow/batcher';
import type {
  Readiness,
  BatcherClient,
  RecordStream,
  DrainOptions,
} from '../../src/contracts/batcher-client';
import type { AuditsView, AuditView } from '../../src/contracts/api/answers/audits';
import type { BufferView } from '../../src/contracts/api/answers/buffer';
import type { ControlsView } from '../../src/contracts/api/answers/controls';
import type { WorkersView } from '../../src/contracts/api/answers/workers';
import type {
  DeadLetterGroups,
  DeadLetterPage,
  RedriveResult,
} from '../../src/contracts/api/answers/dead-letters';
import type { LimitsAnswer } from '../../src/contracts/workflow/limits';
import type { DrainReport } from '../../src/contracts/api/answers/drain';
import type { Overview } from '../../src/contracts/api/answers/live';
import type { BatchPage, BatchView } from '../../src/contracts/api/answers/batches';
import type { RequestView, WaitsView } from '../../src/contracts/api/answers/requests';
import type { StatusView } from '../../src/contracts/api/answers/status';

const AT = '2020-02-02T02:02:02.000Z';

/**
 * A BatcherClient that records what it is asked and answers what a test gives it. Right for the edge alone: the real
 * one is tested against a real server, end to end.
 */
export class FakeBatcherClient implements BatcherClient {
  readonly accepted: AcceptedRequest[] = [];
  /** Those of them that were to be taken once. */
  readonly onceOnly: string[] = [];
  /** Every other call, as `name(arguments)`. */
  readonly calls: string[] = [];
  readonly requests = new Map<string, RequestView>();
  readonly batchViews = new Map<string, BatchView>();
  page: BatchPage = { batches: [], nextCursor: null };
  statusView = emptyStatus();
  waitsView: WaitsView = {
    shards: [
      {
        ...{ shard: 0, batcher: 'batcher-0', bufferedRecords: 3 },
        waits: [{ text: 'older records', for: 'older_records', records: 3 }],
        rules: [{ rule: { pair: [1, 2] }, records: 1 }],
      },
    ],
  };
  letterPage: DeadLetterPage = { deadLetters: [], nextCursor: null };
  redriveResult: RedriveResult = { redriven: [], alreadyRedriven: [], notFound: [] };
  drainReport: Omit<DrainReport, 'by'> = { drained: true, shards: [], atMs: 0 };
  limitsAnswer: Omit<LimitsAnswer, 'by'> = { atMs: 0, shards: [] };
  /** What the last drain was asked with. */
  drainOptions: DrainOptions | undefined;
  /** Every call rejects with it while it is set. */
  failure: Error | undefined;
  private gate: Promise<void> | undefined;

  /** From here on `addRecords` and `drain` stay pending; the function that is returned lets it go on. */
  hold(): () => void {
    let release = () => {};
    this.gate = new Promise((resolve) => (release = resolve));
    return release;
  }

  async addRecords(request: AcceptedRequest, { once = false } = {}): Promise<void> {
    this.accepted.push(request);
    if (once) this.onceOnly.push(request.requestId);
    await this.gate;
    await this.failIfAsked();
  }

  /** Every record of a stream is durable as soon as it is written. */
  openStream(requestId: string, { once }: { once: boolean }): Promise<RecordStream> {
    const stream: AcceptedRequest = { requestId, values: [] };
    this.accepted.push(stream);
    if (once) this.onceOnly.push(requestId);
    return Promise.resolve({
      write: async (value) => {
        await this.gate;
        await this.failIfAsked();
        stream.values.push(value);
      },
      end: async () => {
        await this.failIfAsked();
        return stream.values.length;
      },
      durable: () => Promise.resolve(stream.values.length),
      soFar: () => stream.values.length,
    });
  }

  status(): Promise<StatusView> {
    return this.answer('status()', this.statusView);
  }

  waits(): Promise<WaitsView> {
    return this.answer('waits()', this.waitsView);
  }

  bufferView: BufferView = {
    shards: [
      {
        ...{ shard: 0, batcher: 'batcher-0', more: 0 },
        records: [
          { recordId: 'r:0', value: 1, acceptedAt: AT, heldBy: null },
          { recordId: 'r:1', value: 2, acceptedAt: AT, heldBy: { batches: ['batcher-0-1'], until: AT } },
        ],
      },
    ],
  };

  bufferSample(): Promise<BufferView> {
    return this.answer('bufferSample()', this.bufferView);
  }

  /** How often an overview was asked for. */
  overviews = 0;

  /** As the views are; while {@link failure} is set, no batcher answers. */
  overview(): Promise<Overview> {
    this.overviews++;
    const isSilent = this.failure !== undefined;
    return Promise.resolve({
      status: isSilent ? null : this.statusView,
      waits: isSilent ? { shards: [] } : this.waitsView,
      asOfMs: isSilent ? null : Date.now(),
      silent: isSilent ? ['batcher-0'] : [],
    });
  }

  workersView: WorkersView = {
    atMs: 0,
    isServed: true,
    workers: [{ identity: '17@host', buildId: null, lastPolledAt: AT, taskQueues: ['keepapart'] }],
    taskQueues: [
      {
        ...{ name: 'keepapart', kind: 'workflow', purpose: 'batchers and batches', pollers: 1 },
        ...{ backlog: 3, backlogAgeMs: 20, addedPerSecond: 1.5, dispatchedPerSecond: null },
      },
    ],
    slots: { activities: 400, workflowTasks: 40 },
  };
  controlsView: ControlsView = {
    controls: [{ action: 'pause', by: 'Ann', at: AT, detail: null, shards: [0] }],
  };
  groupsView: DeadLetterGroups = {
    groups: [
      {
        ...{ error: 'no place for #', records: 2, oldestAt: AT, newestAt: AT, forgottenAt: AT },
        examples: ['r:0'],
      },
    ],
    isWhole: true,
  };

  workers(): Promise<WorkersView> {
    return this.answer('workers()', this.workersView);
  }

  controls(): Promise<ControlsView> {
    return this.answer('controls()', this.controlsView);
  }

  auditsView: AuditsView = { audits: [] };

  audits(): Promise<AuditsView> {
    return this.answer('audits()', this.auditsView);
  }

  /** It is the latest from then on. */
  startAudit(by: string): Promise<AuditView> {
    const audit: AuditView = {
      ...{ auditId: `audit-${this.auditsView.audits.length}`, by, state: 'running', startedAt: AT },
      ...{ closedAt: null, progress: null, result: null, error: null },
    };
    this.auditsView = { audits: [audit, ...this.auditsView.audits] };
    return this.answer(`startAudit(${by})`, audit);
  }

  deadLetterGroups(): Promise<DeadLetterGroups> {
    return this.answer('deadLetterGroups()', this.groupsView);
  }

  request(requestId: string): Promise<RequestView | undefined> {
    return this.answer(`request(${requestId})`, this.requests.get(requestId));
  }

  batches(filter: Parameters<BatcherClient['batches']>[0]): Promise<BatchPage> {
    return this.answer(`batches(${JSON.stringify(filter)})`, this.page);
  }

  batch(batchId: string): Promise<BatchView | undefined> {
    return this.answer(`batch(${batchId})`, this.batchViews.get(batchId));
  }

  deadLetters(filter: Parameters<BatcherClient['deadLetters']>[0]): Promise<DeadLetterPage> {
    return this.answer(`deadLetters(${JSON.stringify(filter)})`, this.letterPage);
  }

  redrive(selection: Parameters<BatcherClient['redrive']>[0], by: string): Promise<RedriveResult> {
    return this.answer(`redrive(${JSON.stringify(selection)}, ${by})`, this.redriveResult);
  }

  async drain(by: string, options: DrainOptions): Promise<DrainReport> {
    this.drainOptions = options;
    await this.gate;
    return this.answer(`drain(${by}, ${options.timeoutMs})`, { ...this.drainReport, by });
  }

  changeLimits(patch: Parameters<BatcherClient['changeLimits']>[0], by: string): Promise<LimitsAnswer> {
    return this.answer(`changeLimits(${JSON.stringify(patch)}, ${by})`, { ...this.limitsAnswer, by });
  }

  flush(by: string): Promise<void> {
    return this.answer(`flush(${by})`, undefined);
  }

  pause(by: string): Promise<void> {
    return this.answer(`pause(${by})`, undefined);
  }

  resume(by: string): Promise<void> {
    return this.answer(`resume(${by})`, undefined);
  }

  /** What is known of the store, for {@link checkReady}. */
  storeAwaySince: string | null = null;

  checkReady(): Promise<Readiness> {
    return this.answer('checkReady()', { storeAwaySince: this.storeAwaySince });
  }

  private async answer<T>(call: string, value: T): Promise<T> {
    this.calls.push(call);
    await this.failIfAsked();
    return value;
  }

  private failIfAsked(): Promise<void> {
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }
}

function emptyStatus(): StatusView {
  const total = {
    bufferedRecords: 0,
    bufferedBytes: 0,
    oldestAgeMs: null,
    oldestDueAgeMs: null,
    inFlight: 0,
    inFlightRecords: 0,
    unaccounted: 0,
    counters: { ...NO_COUNTS },
    cuts: {
      ...{ batches: 3, records: 11, places: 15, fillRatio: 11 / 15, lowerBound: 2, deferred: 2 },
      deferredBy: [{ rule: { pair: [1, 2] as [number, number] }, records: 2 }],
    },
  };
  return {
    shards: [
      {
        shard: 0,
        batcher: 'batcher-0',
        pages: 0,
        run: { historyEvents: 9, historyBytes: 900, messages: 2, continuedAsNew: 0 },
        saving: { shape: 'record', since: null, due: null, storeIsSlow: false },
        paused: null,
        pace: null,
        storeAway: null,
        drain: null,
        overridden: {},
        ...total,
      },
    ],
    total: { ...total, paused: false },
    settings: {
      maxBatchSize: 5,
      conflicts: [{ pair: [1, 2] }],
      flushIntervalMs: 1000,
      batchSpacingMs: 0,
      maxSavesPerSecond: 0,
      maxInFlight: 50,
      maxAttempts: 3,
      retryIntervalMs: 1000,
      conflictScope: 'file',
      apartMs: 0,
      outcomeFormat: 'text',
      onFailure: 'keep',
      saveActivity: 'record',
      idempotencyWindowMs: 86_400_000,
      idempotencyWindowKeys: 4000,
    },
  };
}
