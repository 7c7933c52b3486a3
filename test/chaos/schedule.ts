import { HOUR, MINUTE, SECOND } from '../../src/domain/duration';
import { APIS, NODE_PROCESSES, WORKERS, type Fault } from './fault-kinds';
import { createRandom, type Random } from './random';
import { POINTS } from './points';
import { hasServer, type StoreName } from './store-servers';

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
  /** How many of the faults do something else; each kind comes at least once. */
  others: number;
  /** How long the longer ones last, as a share of what is usual. */
  lengths: number;
  /** Where records are saved; a server that belongs to the store is attacked as well. */
  store: StoreName;
  /** Whether `SHARDS` may be changed. */
  withShards: boolean;
}

/** @param lengths how long the longer ones last, as a share of what is usual */
type Make = (random: Random, lengths: number) => Fault;

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
  (random) => ({ kind: 'cut connections', whom: random.pick(NODE_PROCESSES), times: random.integer(1, 6) }),
  (random) => ({ kind: 'repeat calls', whom: random.pick(APIS), forMs: random.integer(2, 8) * SECOND }),
  (random) => ({ kind: 'repeat calls', whom: random.pick(WORKERS), forMs: random.integer(2, 8) * SECOND }),
  () => ({ kind: 'reset batcher' }),
  (random) => ({ kind: 'terminate batcher', which: random.next() }),
  (random) => ({ kind: 'delete batcher', which: random.next() }),
  (random) => ({ kind: 'delete child', which: random.next() }),
  (random) => ({ kind: 'reset child', which: random.next() }),
  () => ({ kind: 'terminate page' }),
  () => ({ kind: 'delete page' }),
  () => ({ kind: 'malformed messages' }),
  (random, lengths) => ({
    kind: 'workers away',
    forMs: Math.round(random.integer(20, 45) * lengths) * SECOND,
  }),
  (random) => ({
    kind: 'crowd',
    whom: random.pick(APIS),
    connections: random.integer(1000, 2000),
    forMs: random.integer(2, 6) * SECOND,
  }),
  (random) => shiftClock(random, 1),
  (random) => shiftClock(random, -1),
];

const CHANGES_OF_SHARDS: readonly Make[] = [
  (random) => ({ kind: 'change shards', to: random.integer(2, 4) }),
  () => ({ kind: 'change shards', to: 1 }),
];

const OF_STORE_SERVERS: readonly Make[] = [
  () => ({ kind: 'kill store' }),
  (random) => ({ kind: 'stop store', forMs: random.integer(2, 12) * SECOND }),
];

const OF_POSTGRES: readonly Make[] = [
  (random) => ({ kind: 'demote postgres', how: 'standby', forMs: random.integer(3, 13) * SECOND }),
  (random) => ({ kind: 'demote postgres', how: 'read-only', forMs: random.integer(3, 13) * SECOND }),
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

/** Kills of every kind there is come to so many. */
export const KINDS_OF_KILLS = KILLS.length;

/**
 * What is done, when and to whom: a function of the options alone. Every kind of fault comes before any comes again; a
 * round begins with its freezes, so that the zombies are back before it ends.
 */
export function makeSchedule(options: ScheduleOptions): Round[] {
  const { seed, durationMs, roundMs, kills, lengths } = options;
  const random = createRandom(seed);
  const kinds = [
    ...OTHERS,
    ...(options.withShards ? CHANGES_OF_SHARDS : []),
    ...(hasServer(options.store) ? OF_STORE_SERVERS : []),
    ...(options.store === 'postgres' ? OF_POSTGRES : []),
  ];
  const others = Math.max(kinds.length, options.others);
  const faults = random.shuffle([
    ...draw(random, KILLS, kills, lengths),
    ...draw(random, kinds, others, lengths),
  ]);
  const rounds = Math.max(1, Math.round(durationMs / roundMs));
  const lengthMs = Math.round(durationMs / rounds);
  return Array.from({ length: rounds }, (_, round) => {
    const share = faults.filter((_, index) => index % rounds === round);
    return { lengthMs, faults: placed(random, share, lengthMs) };
  });
}

function draw(random: Random, makes: readonly Make[], count: number, lengths: number): Fault[] {
  const drawn: Fault[] = [];
  while (drawn.length < count) drawn.push(...random.shuffle(makes).map((make) => make(random, lengths)));
  return drawn.slice(0, count);
}

/** After some faults the whole system has to come up again: until then nothing else would hit anything. */
function weightOf({ kind }: Fault): number {
  if (kind === 'kill everything' || kind === 'workers away') return 5;
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
