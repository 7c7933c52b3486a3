import { setTimeout as sleep } from 'node:timers/promises';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/search-attributes';
import { WORKFLOW_TYPE } from '../../src/contracts/ids';
import { ACTIVITY_TIMEOUTS } from '../../src/contracts/activities';
import type { Cluster } from './cluster';
import type { Load } from './load';
import type { Fault, FaultKind } from './schedule';
import type { Supervised } from './supervised';
import type { Moment } from './worker-options';

/** How long a moment is waited for before the victim is killed wherever it is. */
const MOMENT_WITHIN_MS = 5_000;
const DISK_FULL_FOR_MS = 6_000;
const HOUR_MS = 3_600_000;

/** What was done, for the report. */
export interface DoneFault {
  kind: FaultKind;
  /** Whom it hit, and at which moment. */
  what: string;
  /** The processes that have to come back. */
  killed: Supervised[];
}

/** Does one fault; resolves when it is over, with whom it hit. */
export async function commit({ kind, target }: Fault, cluster: Cluster, load: Load): Promise<DoneFault> {
  const worker = cluster.workers[target % cluster.workers.length]!;
  const api = cluster.apis[target % cluster.apis.length]!;
  switch (kind) {
    case 'kill-worker':
      await worker.kill();
      return { kind, what: worker.name, killed: [worker] };
    case 'kill-worker-before-save':
    case 'kill-worker-after-save':
    case 'kill-worker-before-close':
    case 'kill-worker-after-close': {
      const moment = kind.replace('kill-worker-', '') as Moment;
      const reached = await Promise.race([cluster.arm(worker, moment), sleep(MOMENT_WITHIN_MS, false)]);
      await worker.kill();
      return { kind, what: `${worker.name}${reached ? '' : ', anywhere'}`, killed: [worker] };
    }
    case 'kill-workers-at-handover': {
      const near = await nearHandover(cluster);
      await Promise.all(cluster.workers.map((each) => each.kill()));
      return { kind, what: near ? 'both' : 'both, anywhere', killed: [...cluster.workers] };
    }
    case 'kill-api':
      await api.kill();
      return { kind, what: api.name, killed: [api] };
    case 'kill-api-in-flight': {
      const url = cluster.apiUrls[target % cluster.apiUrls.length]!;
      const flying = await until(() => load.inFlight(url) > 0);
      await api.kill();
      return { kind, what: `${api.name}${flying ? '' : ', anywhere'}`, killed: [api] };
    }
    case 'kill-temporal':
      await cluster.killTemporalServer();
      return { kind, what: 'the server', killed: [cluster.temporal] };
    case 'kill-all': {
      const all = [...cluster.workers, ...cluster.apis];
      await Promise.all([cluster.killTemporalServer(), ...all.map((each) => each.kill())]);
      return { kind, what: 'everything', killed: [cluster.temporal, ...all] };
    }
    case 'stop-worker':
      worker.signal('SIGSTOP');
      await sleep(ACTIVITY_TIMEOUTS.heartbeatMs + 3_000);
      worker.signal('SIGCONT');
      return { kind, what: worker.name, killed: [] };
    case 'fill-disk':
      cluster.disk.fill();
      await sleep(DISK_FULL_FOR_MS);
      cluster.disk.free();
      return { kind, what: cluster.disk.kind, killed: [] };
    case 'terminate-batch':
      return { kind, what: (await terminateOne(cluster)) ?? 'none was running', killed: [] };
    case 'jump-clock': {
      const offsetMs = target === 0 ? HOUR_MS : -HOUR_MS;
      cluster.shiftClock(offsetMs);
      return { kind, what: `${offsetMs / HOUR_MS} h`, killed: [] };
    }
  }
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadlineMs = performance.now() + MOMENT_WITHIN_MS;
  while (performance.now() < deadlineMs) {
    if (await isTrue()) return true;
    await sleep(2);
  }
  return false;
}

/** The batcher continues as new after so many messages; just before, something of it is under way. */
async function nearHandover({ client, batcherWorkflowId }: Cluster): Promise<boolean> {
  let runId: string | undefined;
  return until(async () => {
    const described = await client.workflow
      .getHandle(batcherWorkflowId)
      .describe()
      .catch(() => undefined);
    if (described === undefined) return false;
    runId ??= described.runId;
    return described.runId !== runId;
  });
}

async function terminateOne({ client, batcherWorkflowId }: Cluster): Promise<string | undefined> {
  const query =
    `WorkflowType = '${WORKFLOW_TYPE.batch}' AND ExecutionStatus = 'Running' ` +
    `AND ${SEARCH_ATTRIBUTES.batcher.name} = '${batcherWorkflowId}'`;
  let terminated: string | undefined;
  await until(async () => {
    try {
      for await (const { workflowId } of client.workflow.list({ query })) {
        await client.workflow.getHandle(workflowId).terminate('by the attack');
        terminated = workflowId;
        return true;
      }
    } catch {
      // It closed meanwhile, or Temporal is away.
    }
    return false;
  });
  return terminated;
}
