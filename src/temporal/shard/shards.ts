import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { SignalDefinition } from '@temporalio/common';
import type { OperatorAction, RequestTrace } from '../../contracts/workflow/batcher';
import type { CommitInstruments } from '../../contracts/instruments';
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

/** Where this installation's batchers live, and what they start with. */
export interface BatcherAddress {
  batcherId: string;
  shards: number;
  taskQueue: string;
  settings: PipelineSettings;
}

/**
 * The shards of an installation. Records go to the `SHARDS` that are configured; controls and questions concern every
 * batcher that is open, as there may have been more shards before.
 */
export class Shards {
  private readonly known = new Map<number, Shard>();
  /** Requests that are taken once. */
  readonly keyed: KeyedRequests;

  constructor(
    private readonly client: Client,
    readonly address: BatcherAddress,
    private readonly limits: AdmissionLimits,
    private readonly givingWay?: GivingWayLimits,
    private readonly instruments?: CommitInstruments,
  ) {
    this.keyed = new KeyedRequests((shard) => this.at(shard), address.shards);
  }

  /** The shard that new records of a request without a key go to. */
  of(requestId: string): Shard {
    return this.at(shardOf(requestId, this.address.shards));
  }

  /** @throws RangeError for what can't be a shard's number */
  at(shard: number): Shard {
    if (!Number.isSafeInteger(shard) || shard < 0) throw new RangeError(`there is no shard ${shard}`);
    const known = this.known.get(shard);
    if (known !== undefined) return known;
    const { batcherId, taskQueue, settings } = this.address;
    const calls = new BatcherCalls(this.client, batcherWorkflowId(batcherId, shard), taskQueue, settings);
    const made = new Shard(shard, calls, settings, this.limits, this.givingWay, this.instruments);
    this.known.set(shard, made);
    return made;
  }

  /** Those that are configured. */
  configured(): Shard[] {
    return Array.from({ length: this.address.shards }, (_, shard) => this.at(shard));
  }

  /** Those that this process has had to do with so far, by number: without asking anybody. */
  seen(): Shard[] {
    return [...new Set([...this.configured(), ...this.known.values()])].sort((a, b) => a.shard - b.shard);
  }

  /** Those that are configured, and every other of which a batcher is open, by number. */
  async all(): Promise<Shard[]> {
    const { batcherId, shards } = this.address;
    const open = new Set(Array.from({ length: shards }, (_, shard) => shard));
    for (const { workflowId } of await this.openBatchers())
      open.add(Number(workflowId.slice(batcherId.length + 1)));
    return [...open].sort((a, b) => a - b).map((shard) => this.at(shard));
  }

  /**
   * Checks that this process's `TASK_QUEUE` is that of every open batcher: a batcher stays where it was started, and
   * would wait there for ever, while everything looks ready. @throws `invalid-config`, with how to move
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

  /** Sends an operator's control to all of them. */
  async control(signal: SignalDefinition<[OperatorAction?]>, by: string): Promise<void> {
    const action = { by, atMs: Date.now() };
    await Promise.all((await this.all()).map((shard) => shard.control(signal, action)));
  }

  /** Puts this process's settings in force everywhere, and starts the batchers that aren't there. */
  async configure(by: string): Promise<void> {
    const action = { by, atMs: Date.now() };
    await Promise.all((await this.all()).map((shard) => shard.configure(action)));
  }

  /** What the batcher that has a request knows of it: that of its shard, or one that had it before `SHARDS` changed. */
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
