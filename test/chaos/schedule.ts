import { HOUR, MINUTE, SECOND } from '../../src/domain/duration';
import { createRandom, type Random } from './random';
import { POINTS, type Point } from './points';

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
  /** Temporal does what one process asks, and its replies don't come; then its connections are cut. */
  | { kind: 'lose replies'; whom: NodeProcess; forMs: number }
  /** Temporal's replies to one process come late. */
  | { kind: 'delay replies'; whom: NodeProcess; forMs: number }
  /** What "Reset" in the Web UI does to the batcher: it begins again, with all that was sent to it since. */
  | { kind: 'reset batcher' }
  /** Messages that are none of ours, as anybody can send them with Temporal's own tools. */
  | { kind: 'malformed messages' }
  /** The clock of one process jumps, and back. */
  | { kind: 'shift clock'; whom: NodeProcess; byMs: number; forMs: number };

export interface ScheduledFault {
  /** From the start of the round. */
  atMs: number;
  fault: Fault;
}

export interface Round {
  lengthMs: number;
  faults: ScheduledFault[];
}

export interface ScheduleOptions {
  seed: number;
  durationMs: number;
  roundMs: number;
  /** How many of the faults kill something. */
  kills: number;
}

/** @param nth of its kind, so that both processes of a role get their share */
type Make = (random: Random, nth: number) => Fault;

const KILLS: readonly Make[] = [
  ...(['once', ...POINTS] as const).map((at): Make => (random) => ({
    kind: 'kill worker',
    whom: random.pick(WORKERS),
    at,
  })),
  () => ({ kind: 'kill workers handing over' }),
  (random) => ({ kind: 'kill api', whom: random.pick(APIS), afterMs: random.integer(0, 20) }),
  () => ({ kind: 'kill temporal server' }),
  () => ({ kind: 'kill temporal role' }),
  () => ({ kind: 'kill everything' }),
];

const OTHERS: readonly Make[] = [
  (random) => ({ kind: 'freeze worker', whom: random.pick(WORKERS), forMs: random.integer(18, 25) * SECOND }),
  (random) => ({ kind: 'fill disk', folder: 'data', forMs: random.integer(2, 6) * SECOND }),
  (random) => ({ kind: 'fill disk', folder: 'out', forMs: random.integer(2, 6) * SECOND }),
  (random) => ({ kind: 'terminate child', which: random.next() }),
  (random) => ({ kind: 'lose replies', whom: random.pick(APIS), forMs: random.integer(200, 2000) }),
  (random) => ({ kind: 'lose replies', whom: random.pick(WORKERS), forMs: random.integer(200, 2000) }),
  (random) => ({
    kind: 'delay replies',
    whom: random.pick(NODE_PROCESSES),
    forMs: random.integer(500, 5000),
  }),
  () => ({ kind: 'reset batcher' }),
  () => ({ kind: 'malformed messages' }),
  (random) => shiftClock(random, 1),
  (random) => shiftClock(random, -1),
];

function shiftClock(random: Random, sign: 1 | -1): Fault {
  const byMs = sign * random.pick([3 * MINUTE, 1 * HOUR, 30 * HOUR]);
  return {
    kind: 'shift clock',
    whom: random.pick(NODE_PROCESSES),
    byMs,
    forMs: random.integer(4, 9) * SECOND,
  };
}

/** One more fault of the other kinds for each of so many kills; of each kind at least one. */
const KILLS_PER_OTHER = 2;

/** Kills of every kind there is come to so many. */
export const KINDS_OF_KILLS = KILLS.length;

/**
 * What is done, when and to whom: a function of the options alone. Every kind of fault comes before any comes again; a
 * round begins with its freezes, so that the zombies are back before it ends.
 */
export function makeSchedule({ seed, durationMs, roundMs, kills }: ScheduleOptions): Round[] {
  const random = createRandom(seed);
  const others = Math.max(OTHERS.length, Math.floor(kills / KILLS_PER_OTHER));
  const faults = random.shuffle([...draw(random, KILLS, kills), ...draw(random, OTHERS, others)]);
  const rounds = Math.max(1, Math.round(durationMs / roundMs));
  const lengthMs = Math.round(durationMs / rounds);
  return Array.from({ length: rounds }, (_, round) => {
    const share = faults.filter((_, index) => index % rounds === round);
    return { lengthMs, faults: placed(random, share, lengthMs) };
  });
}

function draw(random: Random, makes: readonly Make[], count: number): Fault[] {
  const drawn: Fault[] = [];
  while (drawn.length < count)
    drawn.push(...random.shuffle(makes).map((make, index) => make(random, drawn.length + index)));
  return drawn.slice(0, count);
}

/** After some faults the whole system has to come up again: until then nothing else would hit anything. */
function weightOf({ kind }: Fault): number {
  if (kind === 'kill everything') return 5;
  return kind === 'kill temporal server' || kind === 'kill temporal role' ? 4 : 1;
}

/** Where faults follow one another more closely, those after which nothing is there to be hit come last. */
const CROWDED_MS = 3 * SECOND;

/** Over the whole round, each at any time in its part of it. */
function placed(random: Random, faults: readonly Fault[], lengthMs: number): ScheduledFault[] {
  const freezes = faults.filter(({ kind }) => kind === 'freeze worker');
  const others = faults.filter((fault) => !freezes.includes(fault));
  const unitMs = lengthMs / faults.reduce((sum, fault) => sum + weightOf(fault), 0);
  if (unitMs < CROWDED_MS) others.sort((a, b) => weightOf(a) - weightOf(b));
  const ordered = [...freezes, ...others];
  let units = 0;
  const timed = ordered.map((fault) => {
    const atMs = Math.floor((units + random.next()) * unitMs);
    units += weightOf(fault);
    return { atMs, fault };
  });
  return sparingTheFrozen(timed);
}

/** Time for what a zombie does when it is back. */
const AFTER_THAW_MS = 2 * SECOND;

/** What would kill a frozen worker with all the others comes when it is back; what is for it alone waits by itself. */
function sparingTheFrozen(timed: readonly ScheduledFault[]): ScheduledFault[] {
  const frozen = timed.flatMap(({ atMs, fault }) =>
    fault.kind === 'freeze worker' ? [{ fromMs: atMs, toMs: atMs + fault.forMs + AFTER_THAW_MS }] : [],
  );
  const result = timed.map(({ atMs, fault }) => {
    if (fault.kind !== 'kill everything') return { atMs, fault };
    const meanwhile = frozen.filter(({ fromMs, toMs }) => atMs > fromMs && atMs < toMs);
    return { atMs: Math.max(atMs, ...meanwhile.map(({ toMs }) => toMs)), fault };
  });
  return result.sort((a, b) => a.atMs - b.atMs);
}

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
      return 'terminate a child';
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
  return kind.startsWith('kill');
}
