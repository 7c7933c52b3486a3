import { seededRandom } from './random';

/** Everything that is done to the system. Those that kill end a process with SIGKILL, by its id. */
export const KILLS = {
  'kill-worker': 'a worker, at any moment',
  'kill-worker-before-save': 'a worker that is about to save a record',
  'kill-worker-after-save': 'a worker that has saved a record and not said so',
  'kill-worker-before-close': 'a worker between the last save and the publishing of the file',
  'kill-worker-after-close': 'a worker that has published a file and not said so',
  'kill-workers-at-handover': 'every worker when the batcher is about to continue as new',
  'kill-api': 'an API, at any moment',
  'kill-api-in-flight': 'an API with a request between signal and acknowledgement',
  'kill-temporal': 'the Temporal server',
  'kill-all': 'everything at once',
} as const;
export const OTHER_FAULTS = {
  'stop-worker': 'a worker stands still for longer than the heartbeat time-out, then goes on as a zombie',
  'fill-disk': 'the disk of the store is full for a while',
  'terminate-batch': 'a running batch is terminated by hand',
  'jump-clock': 'the clock of every worker and API jumps by an hour, forwards or backwards',
} as const;
export type FaultKind = keyof typeof KILLS | keyof typeof OTHER_FAULTS;

export interface Fault {
  kind: FaultKind;
  /** Since the beginning of its round. */
  atMs: number;
  /** Which worker or API, from 0; how long; which way: as far as the kind needs it. */
  target: number;
}

export interface ScheduleOptions {
  seed: number;
  rounds: number;
  roundMs: number;
  /** In all rounds together. */
  kills: number;
  others: number;
}

/**
 * The faults of each round, in order: a function of the options alone. The kinds come in turn, in an order that the seed
 * shuffles, so that every kind comes as often as any other; so nothing is left out by chance.
 */
export function scheduleOf({ seed, rounds, roundMs, kills, others }: ScheduleOptions): Fault[][] {
  const random = seededRandom(seed);
  const inTurn = <Kind extends FaultKind>(kinds: readonly Kind[], count: number): Kind[] => {
    const drawn: Kind[] = [];
    while (drawn.length < count) drawn.push(...shuffled(kinds));
    return drawn.slice(0, count);
  };
  const shuffled = <T>(items: readonly T[]): T[] =>
    items
      .map((item) => ({ item, at: random.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);

  const kinds: FaultKind[] = shuffled([
    ...inTurn(Object.keys(KILLS) as (keyof typeof KILLS)[], kills),
    ...inTurn(Object.keys(OTHER_FAULTS) as (keyof typeof OTHER_FAULTS)[], others),
  ]);
  return Array.from({ length: rounds }, (_, round) => {
    const mine = kinds.filter((_kind, i) => i % rounds === round);
    // Spread evenly and then shaken: two at the same moment would hide one another.
    const gapMs = roundMs / (mine.length + 1);
    return mine.map((kind, i) => ({
      kind,
      atMs: Math.round(gapMs * (i + 0.5 + random.next())),
      target: random.between(0, 1),
    }));
  });
}
