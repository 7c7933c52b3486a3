import { setTimeout as sleep } from 'node:timers/promises';
import {
  ServiceError,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  isGrpcServiceError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure, type SignalDefinition, type UpdateDefinition } from '@temporalio/common';
import {
  ANSWERS,
  NOT_YET,
  RUN_LIMITS,
  readUpdate,
  type BatcherAnswers,
  type BatcherInput,
  type BatcherQuestion,
  type BatcherWorkflow,
} from '../../contracts/workflow/batcher';
import { WORKFLOW_TYPE } from '../../contracts/workflow/ids';
import { SECOND } from '../../domain/duration';
import type { PipelineSettings } from '../../contracts/workflow/settings';
import { createGroupCommit } from '../../concurrency/group-commit';
import { KeepapartError, type ErrorCode } from '../../domain/errors';
import { keyRingOf } from '../codec/data-converter';
import { callTemporal } from '../server/calls';
import { isRunClosing } from '../server/grpc-status';
import type { RunProgress } from './giving-way';

type Answer = BatcherAnswers[BatcherQuestion['about']] | typeof NOT_YET;
type Args = [unknown?, ...unknown[]];

/** Questions that share one update. Those that arrive while one is pending wait for the next. */
const QUESTIONS_AT_ONCE = { entries: 100, bytes: Infinity, inFlight: 1, gatherMs: 0 } as const;

/** How long nothing is sent to a run that is trying to end. */
const CLOSING_MS = 2 * SECOND;
const LOOK_EVERY_MS = 25;

/** For how long an answer is waited for that a batcher can't give yet. */
const ANSWER_LIMIT_MS = 30 * SECOND;

/**
 * All calls to one batcher. The first message starts a batcher that isn't running, with these settings: a signal without
 * needing a worker, an update once there is a worker.
 *
 * There are no Temporal queries here (decision 22). A question is an update that the batcher rejects with the answers: it
 * is as fresh as the worker's answer, and costs one workflow task and no event. Without a worker, a question fails after
 * ten seconds with `temporal-unavailable`. While a run is trying to end, all calls wait, and refused ones go to the next
 * run.
 */
export class BatcherCalls {
  /** Pending while the current run is trying to end. */
  private closing: Promise<void> | undefined;
  private readonly question = createGroupCommit<BatcherQuestion, Answer | undefined>(
    QUESTIONS_AT_ONCE,
    (questions) => this.askTogether(questions),
  );

  constructor(
    private readonly client: Client,
    readonly workflowId: string,
    private readonly taskQueue: string,
    private readonly settings: PipelineSettings,
  ) {}

  /** What request ids are hashed with in search attributes; undefined without encryption. */
  get idKey(): string | undefined {
    return keyRingOf(this.client)?.current.idKey;
  }

  /** Sends a signal; it is durable when this resolves. @returns the id of the run that accepted it */
  async signal<Sent extends Args>(signal: SignalDefinition<Sent>, args: Sent): Promise<string> {
    const { signaledRunId } = await this.call('hand over to', () =>
      this.client.workflow.signalWithStart<BatcherWorkflow, Args>(WORKFLOW_TYPE.batcher, {
        ...this.start(),
        signal: signal.name,
        signalArgs: args,
      }),
    );
    return signaledRunId;
  }

  /**
   * Sends an update; it is durable and applied when this resolves.
   * @param updateId the same for retries of the same update: the server deduplicates it within a run
   * @throws WorkflowUpdateFailedError with a failure of type `invalid-request` if the batcher rejects it
   */
  async update<Ret, Sent extends [unknown, ...unknown[]]>(
    update: UpdateDefinition<Ret, Sent>,
    args: Sent,
    updateId?: string,
  ): Promise<Ret> {
    const options = { args, ...(updateId !== undefined && { updateId }) };
    return this.call('update', async () => {
      for (;;) {
        try {
          return await this.handle().executeUpdate<Ret, Sent>(update, options as never);
        } catch (error) {
          const refusal = refusalOf(error);
          if (refusal?.type === RUN_ENDED) continue;
          if (refusal !== undefined && refusal.type !== INVALID) throw this.unusable(refusal);
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        }
        return await this.client.workflow.executeUpdateWithStart<BatcherWorkflow, Ret, Sent>(update, {
          ...options,
          startWorkflowOperation: new WithStartWorkflowOperation<BatcherWorkflow>(WORKFLOW_TYPE.batcher, {
            ...this.start(),
            workflowIdConflictPolicy: 'USE_EXISTING',
          }),
        });
      }
    });
  }

  /** The answer to a question; undefined if no batcher is open. */
  async ask<Q extends BatcherQuestion>(question: Q): Promise<BatcherAnswers[Q['about']] | undefined> {
    const deadline = performance.now() + ANSWER_LIMIT_MS;
    for (;;) {
      const answer = await this.question(question, 0);
      if (answer !== NOT_YET) return answer as BatcherAnswers[Q['about']] | undefined;
      if (performance.now() > deadline)
        throw new KeepapartError(
          'temporal-unavailable',
          `${this.workflowId} does not know yet what the batcher before it took`,
        );
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** The current run, with or without a worker. A closed run counts as none. */
  run(): Promise<RunProgress> {
    return callTemporal(this.client, `could not look at ${this.workflowId}`, async () => {
      const { status, runId, historyLength, historySize = 0 } = await this.handle().describe();
      if (status.name !== 'RUNNING' && status.name !== 'PAUSED')
        return { runId: '', historyLength: 0, historySize: 0 };
      return { runId, historyLength, historySize };
    });
  }

  private async askTogether(questions: BatcherQuestion[]): Promise<readonly (Answer | undefined)[]> {
    try {
      return await this.call('ask', () =>
        this.handle().executeUpdate<never, [BatcherQuestion[]]>(readUpdate, { args: [questions] }),
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return questions.map(() => undefined);
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      if (refusal.type !== ANSWERS) throw this.unusable(refusal);
      return refusal.details?.[0] as Answer[];
    }
  }

  /** The worker doesn't know the update, for example because it runs another release. */
  private unusable({ message }: ApplicationFailure): KeepapartError {
    return new KeepapartError(
      'temporal-unavailable',
      `the worker of ${this.workflowId} refused a call: ${message}`,
    );
  }

  private start() {
    const { workflowId, taskQueue, settings, idKey } = this;
    const input = { settings, limits: RUN_LIMITS, ...(idKey !== undefined && { idKey }) };
    const shard = workflowId.slice(workflowId.lastIndexOf('-') + 1);
    return {
      workflowId,
      taskQueue,
      args: [input] as [BatcherInput],
      staticSummary: `Buffer of shard ${shard}`,
    };
  }

  private handle() {
    return this.client.workflow.getHandle<BatcherWorkflow>(this.workflowId);
  }

  private call<T>(what: string, call: () => Promise<T>): Promise<T> {
    return callTemporal(this.client, `could not ${what} ${this.workflowId}`, async () => {
      // Ends at the latest with the deadline of `callTemporal`.
      for (;;) {
        await this.closing;
        try {
          return await call();
        } catch (error) {
          if (!isRefusedByClosingRun(error)) throw error;
          this.closing ??= this.nextRun().finally(() => (this.closing = undefined));
        }
      }
    });
  }

  private async nextRun(): Promise<void> {
    try {
      const { runId } = await this.run();
      for (let waitedMs = 0; waitedMs < CLOSING_MS; waitedMs += LOOK_EVERY_MS) {
        await sleep(LOOK_EVERY_MS);
        if ((await this.run()).runId !== runId) return;
      }
    } catch {
      // The call itself will fail for the same reason, and report it.
    }
  }
}

const INVALID: ErrorCode = 'invalid-request';

/**
 * The server's failure type for an update that a run accepted and didn't answer before it ended. A batcher answers at
 * once, so an operator ended the run. The next run accepts the same update once, or already knows it.
 */
const RUN_ENDED = 'AcceptedUpdateCompletedWorkflow';

/** Why a batcher, or the server on its behalf, rejected an update; undefined for other errors. */
function refusalOf(error: unknown): ApplicationFailure | undefined {
  const { cause } = error instanceof WorkflowUpdateFailedError ? error : {};
  return cause instanceof ApplicationFailure ? cause : undefined;
}

function isRefusedByClosingRun(error: unknown): boolean {
  const status = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(status) && isRunClosing(status);
}
