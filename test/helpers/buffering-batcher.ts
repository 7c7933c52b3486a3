import { NO_COUNTS, type AcceptedRequest, type BatcherQuestion } from '../../src/contracts/workflow/batcher';
import type { RecordStream, StreamOptions } from '../../src/contracts/batcher-client';
import { NO_CUTS } from '../../src/domain/explain/cut-counts';
import { jsonBytes, type JsonValue } from '../../src/domain/json';
import type { AdmissionLimits } from '../../src/temporal/shard/admission';
import type { BatcherCalls } from '../../src/temporal/shard/batcher-calls';
import type { RunProgress } from '../../src/temporal/shard/giving-way';
import { Shard } from '../../src/temporal/shard/shard';
import { FakeBatcherClient } from './fake-batcher-client';
import { TEST_SETTINGS } from './test-settings';

/**
 * A client whose streams go through a real shard, with its admission and its waiting for room, to a batcher that only
 * buffers. Room comes when the test says so.
 */
export class BufferingBatcher extends FakeBatcherClient {
  /** What the buffer holds. */
  readonly buffer: JsonValue[] = [];
  /** Everything that was ever taken, in order. */
  readonly taken: JsonValue[] = [];
  /** Sizes of the messages that came, in records. */
  readonly parts: number[] = [];
  /** How often the batcher was asked how full it is. */
  questions = 0;
  private readonly shard: Shard;

  constructor(limits: AdmissionLimits) {
    super();
    const calls = {
      workflowId: 'batcher-0',
      ask: ({ about }: BatcherQuestion) => Promise.resolve(about === 'status' ? this.report() : undefined),
      run: (): Promise<RunProgress> => Promise.resolve({ runId: 'run', historyLength: 3, historySize: 0 }),
      signal: (_signal: unknown, [requests]: [AcceptedRequest[]]) => {
        const values = requests.flatMap((request) => request.values);
        this.parts.push(values.length);
        this.buffer.push(...values);
        this.taken.push(...values);
        return Promise.resolve('run');
      },
    };
    this.shard = new Shard(0, calls as unknown as BatcherCalls, TEST_SETTINGS, limits);
  }

  /** Lets everything in the buffer go. */
  makeRoom(): void {
    this.buffer.length = 0;
  }

  override openStream(requestId: string, options: StreamOptions): Promise<RecordStream> {
    return this.shard.openStream(requestId, options);
  }

  private report() {
    this.questions++;
    return {
      bufferedRecords: this.buffer.length,
      bufferedBytes: this.buffer.reduce<number>((sum, value) => sum + jsonBytes(value), 0),
      oldestAcceptedAtMs: null,
      inFlight: 0,
      counters: NO_COUNTS,
      cuts: { ...NO_CUTS, deferredBy: [] },
    };
  }
}
