import {
  RUN_LIMITS,
  addRecordsSignal,
  flushSignal,
  type BatcherInput,
  type RunLimits,
} from '../../src/contracts/workflow/batcher';
import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import { HOUR } from '../../src/domain/duration';
import type { JsonValue } from '../../src/domain/json';
import { batcherWorkflow } from '../../workflows/batcher/batcher';
import { FakeWorkflow } from './fake-workflow';
import { TEST_SETTINGS } from './test-settings';

/** Nothing conflicts, and nothing goes by age before a test says so. */
const SETTINGS: PipelineSettings = { ...TEST_SETTINGS, conflicts: [], flushIntervalMs: HOUR };

/** A run of the batcher in memory, see fake-workflow.ts, after its first task. */
export class FakeBatcherRun extends FakeWorkflow {
  private requests = 0;

  static async begin(input: BatcherInput): Promise<FakeBatcherRun> {
    const run = new FakeBatcherRun('batcher-0');
    void batcherWorkflow(JSON.parse(JSON.stringify(input)) as BatcherInput);
    await run.task();
    return run;
  }

  /** The first run of a batcher: nothing was there before it. */
  static async first(
    settings: Partial<PipelineSettings> = {},
    limits: Partial<RunLimits> = {},
  ): Promise<FakeBatcherRun> {
    const run = await FakeBatcherRun.begin({
      settings: { ...SETTINGS, ...settings },
      limits: { ...RUN_LIMITS, historyBytes: 1e9, ...limits },
    });
    run.take('findLeft').resolve({ childIds: [], keys: [] });
    await run.task();
    return run;
  }

  /** Sends a list in the current task. */
  add(...values: JsonValue[]): void {
    this.signal(addRecordsSignal, [{ requestId: `r${++this.requests}`, values }]);
  }

  /** Takes so many messages that do nothing. */
  flush(messages: number): void {
    for (let i = 0; i < messages; i++) this.signal(flushSignal);
  }

  /** Has everything start that was asked for, and what that brings, until nothing more is asked for. */
  async startAll(): Promise<void> {
    while (this.children.length > 0)
      await this.task(() => {
        for (const { name } of [...this.children]) this.start(name);
      });
  }

  /** What the next run gets. */
  get carried(): BatcherInput {
    if (this.continuedWith === undefined) throw new Error('this run has not handed over');
    return this.continuedWith as BatcherInput;
  }
}
