import { MINUTE, SECOND } from '../../src/domain/duration';
import type { Point } from './points';

export const WORKERS = ['worker-1', 'worker-2'] as const;
export const APIS = ['api-1', 'api-2'] as const;
export const NODE_PROCESSES = [...WORKERS, ...APIS] as const;
export type WorkerName = (typeof WORKERS)[number];
export type ApiName = (typeof APIS)[number];
export type NodeProcess = (typeof NODE_PROCESSES)[number];

/** One thing that is done to the system. */
export type Fault =
  /** `kill -9` of a worker, at once or when it gets to a point. */
  | { kind: 'kill worker'; whom: WorkerName; at: Point | 'once' }
  /** `kill -9` of every worker while the batcher continues as new. */
  | { kind: 'kill workers handing over' }
  /** `kill -9` of an API, so many milliseconds after a request has gone to it that isn't answered. */
  | { kind: 'kill api'; whom: ApiName; afterMs: number }
  /** `kill -9` of the Temporal server; its keepapart process then ends by itself. */
  | { kind: 'kill temporal server' }
  /** `kill -9` of the keepapart process that cares for the Temporal server. */
  | { kind: 'kill temporal role' }
  /** `kill -9` of everything there is. */
  | { kind: 'kill everything' }
  /** SIGSTOP in the middle of a save, until its batch was closed without it, but at most so long; then SIGCONT. */
  | { kind: 'freeze worker'; whom: WorkerName; forMs: number }
  /** No room for the staging or for the batch files, then room again. */
  | { kind: 'fill disk'; folder: 'data' | 'out'; forMs: number }
  /** What "Terminate" in the Web UI does, to one of the children that run. */
  | { kind: 'terminate child'; which: number }
  /** Temporal's own tools delete a child that runs, with its history. */
  | { kind: 'delete child'; which: number }
  /** What "Reset" in the Web UI does to a batch, whether it runs or has completed. */
  | { kind: 'reset child'; which: number }
  /** A batcher is terminated; what it held comes back by `keepapart rescue --apply`. */
  | { kind: 'terminate batcher'; which: number }
  /** A batcher is terminated and its run deleted, so that nothing can bring back what it held; batches and pages remain. */
  | { kind: 'delete batcher'; which: number }
  /** So much is buffered that a part goes into pages, of which one is terminated or deleted. */
  | { kind: 'terminate page' }
  | { kind: 'delete page' }
  /** Temporal does what one process asks, and its replies don't come; then its connections are cut. */
  | { kind: 'lose replies'; whom: NodeProcess; forMs: number }
  /** Temporal's connections with one process are reset, again and again. */
  | { kind: 'cut connections'; whom: NodeProcess; times: number }
  /** What one process asks of Temporal that changes a workflow reaches it a second time, seconds later. */
  | { kind: 'repeat calls'; whom: NodeProcess; forMs: number }
  /** Temporal's replies to one process come late. */
  | { kind: 'delay replies'; whom: NodeProcess; forMs: number }
  /** What "Reset" in the Web UI does to the batcher: it begins again, with all that was sent to it since. */
  | { kind: 'reset batcher' }
  /** Messages that are none of ours, as anybody can send them with Temporal's own tools. */
  | { kind: 'malformed messages' }
  /** No worker runs, while clients go on until they are refused. */
  | { kind: 'workers away'; forMs: number }
  /** One API after the other is started again with another `SHARDS`. */
  | { kind: 'change shards'; to: number }
  /** Connections to an API by the thousand: idle, half-closed, pipelined and never read, broken off and reset. */
  | { kind: 'crowd'; whom: ApiName; connections: number; forMs: number }
  /** What happens to the server of a store, where it has one. */
  | { kind: 'kill store' }
  | { kind: 'stop store'; forMs: number }
  /** What happens to a Postgres in a failover; only with STORE=postgres. */
  | { kind: 'demote postgres'; how: 'standby' | 'read-only'; forMs: number }
  /** The clock of one process jumps, and back. */
  | { kind: 'shift clock'; whom: NodeProcess; byMs: number; forMs: number };

/** A fault in one line. */
export function describeFault(fault: Fault): string {
  const seconds = (ms: number) => `${ms / SECOND} s`;
  switch (fault.kind) {
    case 'kill worker':
      return `kill ${fault.whom} ${fault.at === 'once' ? 'at once' : fault.at}`;
    case 'kill api':
      return `kill ${fault.whom} with a request in flight for ${fault.afterMs} ms`;
    case 'freeze worker':
      return `freeze ${fault.whom} in a save for at most ${seconds(fault.forMs)}`;
    case 'fill disk':
      return `fill the disk of ${fault.folder === 'data' ? 'DATA_DIR' : 'OUT_DIR'} for ${seconds(fault.forMs)}`;
    case 'shift clock':
      return `shift the clock of ${fault.whom} by ${fault.byMs / MINUTE} min for ${seconds(fault.forMs)}`;
    case 'terminate child':
    case 'delete child':
    case 'reset child':
    case 'terminate batcher':
    case 'delete batcher':
    case 'terminate page':
    case 'delete page':
      return fault.kind.replace(' ', ' a ');
    case 'cut connections':
      return `cut the connections of ${fault.whom} ${fault.times} times`;
    case 'repeat calls':
      return `repeat the calls of ${fault.whom} for ${seconds(fault.forMs)}`;
    case 'workers away':
      return `keep every worker away for ${seconds(fault.forMs)}`;
    case 'change shards':
      return `change SHARDS to ${fault.to}`;
    case 'crowd':
      return `open ${fault.connections} connections to ${fault.whom} for ${seconds(fault.forMs)}`;
    case 'stop store':
      return `stop the server of the store for ${seconds(fault.forMs)}`;
    case 'demote postgres':
      return `have Postgres only read (${fault.how}) for ${seconds(fault.forMs)}`;
    case 'lose replies':
      return `lose the replies to ${fault.whom} for ${seconds(fault.forMs)}`;
    case 'delay replies':
      return `delay the replies to ${fault.whom} by ${seconds(fault.forMs)}`;
    default:
      return fault.kind;
  }
}

/** Whether it kills something. */
export function isKill({ kind }: Fault): boolean {
  return kind.startsWith('kill') && kind !== 'kill store';
}
