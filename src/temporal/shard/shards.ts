import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';
import type { OperatorAction, RequestTrace } from '../../contracts/workflow/batcher';
import type { CommitInstruments } from '../../contracts/instruments';
import type { CommitTracing } from '../../contracts/tracing';
import { WORKFLOW_TYPE, batcherWorkflowId, isBatcherOf, shardOf } from '../../contracts/workflow/ids';
import type { PipelineSettings } from '../../contracts/workflow/settings';
import { KeepapartError } from '../../domain/errors';
import { literal } from '../children/batch-queries';
import { callTemporal } from '../server/calls';
import type { AdmissionLimits } from './admission';
import { BatcherCalls } from './batcher-calls';
import type { GivingWayLimits } from './giving-way';
import { KeyedRequests } from './keyed-requests';
import { Shard } from './shard';

/** Where this installation's batchers run, and the settings they start with. */
export interface BatcherAddress {
  batcherId: string;
  shards: number;
  taskQueue: string;
  settings: PipelineSettings;
}

/**
 * The shards of an installation. Records go to the configured number of shards. Operator commands and questions go to
 * every open batcher, because there may have been more shards before.
 */
export class Shards {
  private readonly known = new Map<number, Shard>();
  /** Requests that must be accepted once. */
  readonly keyed: KeyedRequests;

  constructor(
    private readonly client: Client,
    readonly address: BatcherAddress,
    private readonly limits: AdmissionLimits,
    private readonly givingWay?: GivingWayLimits,
    private readonly instruments?: CommitInstruments,
    private readonly tracing?: CommitTracing,
  ) {
    this.keyed = new KeyedRequests(
      (shard) => this.at(shard),
      address.shards,
      () => this.all(),
    );
  }

  /** The shard of a new request without a key. */
  of(requestId: string): Shard {
    return this.at(shardOf(requestId, this.address.shards));
  }

  /** @throws RangeError if the number can't be that of a shard */
  at(shard: number): Shard {
    if (!Number.isSafeInteger(shard) || shard < 0) throw new RangeError(`there is no shard ${shard}`);
    const known = this.known.get(shard);
    if (known !== undefined) return known;
    const { batcherId, taskQueue, settings } = this.address;
    const calls = new BatcherCalls(this.client, batcherWorkflowId(batcherId, shard), taskQueue, settings);
    const { limits, givingWay, instruments, tracing } = this;
    const made = new Shard(shard, calls, settings, limits, givingWay, instruments, tracing);
    this.known.set(shard, made);
    return made;
  }

  /** The configured shards. */
  configured(): Shard[] {
    return Array.from({ length: this.address.shards }, (_, shard) => this.at(shard));
  }

  /** The shards that this process has used so far, in order of their numbers; asks nobody. */
  seen(): Shard[] {
    return [...new Set([...this.configured(), ...this.known.values()])].sort((a, b) => a.shard - b.shard);
  }

  /** The configured shards and every other one with an open batcher, in order of their numbers. */
  async all(): Promise<Shard[]> {
    const { batcherId, shards } = this.address;
    const open = new Set(Array.from({ length: shards }, (_, shard) => shard));
    for (const { workflowId } of await this.openBatchers())
      open.add(Number(workflowId.slice(batcherId.length + 1)));
    return [...open].sort((a, b) => a - b).map((shard) => this.at(shard));
  }

  /**
   * Checks that this process's `TASK_QUEUE` is that of every open batcher: a batcher stays on its task queue, and would
   * wait there for ever although everything looks ready. @throws `invalid-config`, with how to move
   */
  async checkTaskQueue(): Promise<void> {
    const { taskQueue } = this.address;
    const elsewhere = (await this.openBatchers()).find((batcher) => batcher.taskQueue !== taskQueue);
    if (elsewhere === undefined) return;
    const { workflowId, taskQueue: there } = elsewhere;
    throw new KeepapartError(
      'invalid-config',
      `TASK_QUEUE is ${taskQueue}, but ${workflowId} runs on ${there} and would wait there for ever. Set it to ${there}. ` +
        `To move: drain with ${there}, stop every process, terminate the batchers (temporal workflow terminate ` +
        `--workflow-id ${workflowId}), and start with ${taskQueue}.`,
      { problems: [{ field: 'TASK_QUEUE', expected: there, received: taskQueue }] },
    );
  }

  private async openBatchers(): Promise<WorkflowExecutionInfo[]> {
    const query = `WorkflowType = ${literal(WORKFLOW_TYPE.batcher)} AND ExecutionStatus = 'Running'`;
    const open: WorkflowExecutionInfo[] = [];
    await callTemporal(this.client, 'could not list the open batchers', async () => {
      for await (const batcher of this.client.workflow.list({ query, pageSize: 500 }))
        if (isBatcherOf(this.address.batcherId, batcher.workflowId)) open.push(batcher);
    });
    return open;
  }

  /** Sends an operator's command to all of them. */
  async control(signal: SignalDefinition<[OperatorAction?]>, by: string): Promise<void> {
    const action = { by, atMs: Date.now() };
    await Promise.all((await this.all()).map((shard) => shard.control(signal, action)));
  }

  /** Puts this process's settings in force in every shard, and starts the batchers that aren't running. */
  async configure(by: string): Promise<void> {
    const action = { by, atMs: Date.now() };
    await Promise.all((await this.all()).map((shard) => shard.configure(action)));
  }

  /** What is known of a request: by the batcher of its shard, or by another one if `SHARDS` has changed. */
  async trace(requestId: string, withWaits = false): Promise<RequestTrace> {
    const own = this.of(requestId);
    const trace = await own.trace(requestId, withWaits);
    if (trace.size !== null || trace.inFlightChildIds.length > 0) return trace;
    for (const other of await this.all()) {
      if (other === own) continue;
      const found = await other.trace(requestId, withWaits);
      if (found.size !== null || found.inFlightChildIds.length > 0 || found.pageIds.length > 0)
        return { ...found, pageIds: [...trace.pageIds, ...found.pageIds] };
    }
    return trace;
  }
}
