import { setImmediate as turn } from 'node:timers/promises';
import type { QueryDefinition, WorkflowInfo } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { Activities } from '../../src/contracts/workflow/activities';

/*
 * What workflow code needs of Temporal, in memory: for what happens exactly between two things, which the real server
 * brings about by chance alone. A test says when a child has started, when an activity ends and what a task brings.
 *
 * A test file mocks the SDK by it, before anything imports workflow code:
 * `jest.mock('@temporalio/workflow', () => jest.requireActual('../../helpers/fake-workflow').workflowApi());`
 */

/** Something that workflow code has asked for and waits for. */
export interface Asked<Input, Result> {
  /** Id of a child, or name of an activity. */
  name: string;
  input: Input;
  /** The workflow task that asked for it, by the length of the history. */
  task: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

interface ChildHandle {
  workflowId: string;
  result(): Promise<unknown>;
}

/** The workflow that runs: one at a time. */
export class FakeWorkflow {
  readonly children: Asked<unknown, void>[] = [];
  readonly results: Asked<undefined, unknown>[] = [];
  readonly activities: Asked<unknown, unknown>[] = [];
  /** To other workflows. */
  readonly signals: { to: string; name: string }[] = [];
  readonly errors: string[] = [];
  /** What the next run gets, once this one has ended so. */
  continuedWith: unknown;
  historyLength = 3;
  historySize = 1000;
  readonly handlers = new Map<string, { handle: (...args: never[]) => unknown }>();
  readonly timers: { ms: number; fire: () => void }[] = [];
  private conditions: { holds: () => boolean; resolve: () => void }[] = [];

  constructor(readonly workflowId: string) {
    run(this);
  }

  /** A workflow task: it brings these messages, and is over when nothing goes on by itself. */
  async task(bring: () => void = () => undefined): Promise<void> {
    this.historyLength += 4;
    bring();
    await this.settle();
  }

  /** Sends a signal; within {@link task}. */
  signal({ name }: { name: string }, ...args: unknown[]): void {
    const handle = this.handlers.get(name)?.handle as ((...args: unknown[]) => unknown) | undefined;
    if (handle === undefined) throw new Error(`nothing handles ${name}`);
    handle(...args);
  }

  /** What a query answers. */
  query<Answer>({ name }: { name: string } & QueryDefinition<Answer>): Answer {
    const handle = this.handlers.get(name)?.handle as (() => Answer) | undefined;
    if (handle === undefined) throw new Error(`nothing answers ${name}`);
    return handle();
  }

  /** The oldest call of an activity that hasn't been answered, which is answered by whoever takes it. */
  take<Name extends keyof Activities>(
    name: Name,
  ): Asked<Parameters<Activities[Name]>[0], Awaited<ReturnType<Activities[Name]>>> {
    return takeFrom(this.activities, name) as never;
  }

  /** Has a child that was asked for start. */
  start(childId: string): void {
    takeFrom(this.children, childId).resolve();
  }

  /** Has it not, as its id is taken. */
  refuseStart(childId: string): void {
    takeFrom(this.children, childId).reject(
      new WorkflowExecutionAlreadyStartedError('taken', childId, 'batchesWorkflow'),
    );
  }

  /** How a child ends that this workflow has started. */
  resultOf(childId: string): Asked<undefined, unknown> {
    return takeFrom(this.results, childId);
  }

  condition(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => this.conditions.push({ holds, resolve }));
  }

  ask<Input, Result>(list: Asked<Input, Result>[], name: string, input: Input): Promise<Result> {
    return new Promise((resolve, reject) => {
      list.push({ name, input, task: this.historyLength, resolve, reject });
    });
  }

  private async settle(): Promise<void> {
    for (let goesOn = true; goesOn;) {
      await turn();
      const met = this.conditions.find(({ holds }) => holds());
      this.conditions = this.conditions.filter((one) => one !== met);
      met?.resolve();
      goesOn = met !== undefined;
    }
  }
}

function takeFrom<One extends { name: string }>(list: One[], name: string): One {
  const at = list.findIndex((one) => one.name === name);
  const [found] = at < 0 ? [] : list.splice(at, 1);
  if (found === undefined)
    throw new Error(`${name} was not asked for, but ${list.map((one) => one.name).join(', ') || 'nothing'}`);
  return found;
}

let current: FakeWorkflow;

function run(workflow: FakeWorkflow): void {
  current = workflow;
}

class Scope {
  static nonCancellable<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }
  static current(): { consideredCancelled: boolean } {
    return { consideredCancelled: false };
  }
  run<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }
  cancel(): void {
    // What it had started waits for ever, as nobody waits for that.
  }
}

/** The SDK's module, with what needs a workflow replaced. */
export function workflowApi(): object {
  const noting = (message: string) => void current.errors.push(message);
  const asWorkflow = {
    CancellationScope: Scope,
    condition: (holds: () => boolean) => current.condition(holds),
    continueAsNew(input: unknown) {
      current.continuedWith = input;
      return new Promise(() => undefined);
    },
    getExternalWorkflowHandle: (to: string) => ({
      signal({ name }: { name: string }) {
        current.signals.push({ to, name });
        return Promise.resolve();
      },
    }),
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: noting },
    proxyActivities: () =>
      new Proxy(
        {},
        {
          get: (_target, name: string) => (input: unknown) => current.ask(current.activities, name, input),
        },
      ),
    proxySinks: () => ({
      workflowTask: { hold: () => undefined },
      metrics: { batchesClosed: () => undefined, batchesEndedEarly: () => undefined },
      traces: { batchesClosed: () => undefined },
    }),
    setCurrentDetails: () => undefined,
    setHandler({ name }: { name: string }, handle: (...args: never[]) => unknown) {
      current.handlers.set(name, { handle });
    },
    sleep: (ms: number) => new Promise<void>((resolve) => current.timers.push({ ms, fire: resolve })),
    async startChild(_type: string, options: { workflowId: string; args: unknown[] }): Promise<ChildHandle> {
      const { workflowId, args } = options;
      const workflow = current;
      await workflow.ask(workflow.children, workflowId, args[0]);
      return { workflowId, result: () => workflow.ask(workflow.results, workflowId, undefined) };
    },
    upsertMemo: () => undefined,
    upsertSearchAttributes: () => undefined,
    workflowInfo: (): Partial<WorkflowInfo> => ({
      workflowId: current.workflowId,
      historyLength: current.historyLength,
      historySize: current.historySize,
      continueAsNewSuggested: false,
      runStartTime: new Date(0),
      taskQueue: 'queue',
    }),
  };
  return { ...jest.requireActual<object>('@temporalio/workflow'), ...asWorkflow };
}
