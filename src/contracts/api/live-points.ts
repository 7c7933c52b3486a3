import { MINUTE, SECOND } from '../../domain/duration';
import type { Latency, PackedHistory, Point } from './answers/live';
import type { LiveHistory, ProcessFigures } from './live';
import type { WaitsView } from './answers/requests';
import type { StatusView } from './answers/status';

/** A status and when it was read, in milliseconds since the epoch. */
export interface Reading {
  atMs: number;
  status: StatusView;
}

/** How far back points of one second go. */
export const SECONDS_KEPT_MS = 15 * MINUTE;

/** Readings further apart give no rate: the page was hidden, or the connection was broken. */
const GAP_MS = 25 * SECOND;

const UNKNOWN = {
  accepted: null,
  saved: null,
  rolledBack: null,
  retries: null,
  fill: null,
  batches: null,
  lowerBound: null,
};

const NOTHING_MEASURED: ProcessFigures = { refused: {}, commit: null, save: null };

/** The point of a reading that follows another one. Counters that fall (another `BATCHER_ID`, say) give no rates. */
export function pointOf(
  { atMs, status }: Reading,
  before: Reading | undefined,
  waits: WaitsView = { shards: [] },
  figures: ProcessFigures = NOTHING_MEASURED,
): Point {
  const { total } = status;
  const seconds = before === undefined ? 0 : (atMs - before.atMs) / SECOND;
  const isKnown = before !== undefined && seconds > 0 && atMs - before.atMs <= GAP_MS;
  const now = {
    atMs,
    buffered: total.bufferedRecords,
    inFlight: total.inFlight,
    oldestAgeMs: total.oldestAgeMs ?? 0,
    dueAgeMs: total.oldestDueAgeMs ?? 0,
    waits: waitCounts(waits),
    refused: isKnown ? perSecond(figures.refused, seconds) : {},
    commit: figures.commit,
    save: figures.save,
  };
  if (!isKnown) return { ...now, ...UNKNOWN };
  const then = before.status.total;
  if (total.counters.accepted < then.counters.accepted) return { ...now, ...UNKNOWN };
  const rate = (counter: 'accepted' | 'saved' | 'rolledBack' | 'retries') =>
    Math.max(0, total.counters[counter] - then.counters[counter]) / seconds;
  const places = total.cuts.places - then.cuts.places;
  return {
    ...now,
    accepted: rate('accepted'),
    saved: rate('saved'),
    rolledBack: rate('rolledBack'),
    retries: rate('retries'),
    fill: places > 0 ? (total.cuts.records - then.cuts.records) / places : null,
    batches: total.cuts.batches - then.cuts.batches,
    lowerBound: total.cuts.lowerBound - then.cuts.lowerBound,
  };
}

/** Several points as one, at the time of the last: means of rates, sums of batches, the greatest of everything else. */
export function mergePoints(points: readonly [Point, ...Point[]]): Point {
  const last = points[points.length - 1] ?? points[0];
  const known = (
    field: 'accepted' | 'saved' | 'rolledBack' | 'retries' | 'fill' | 'batches' | 'lowerBound',
  ) => points.flatMap((point) => point[field] ?? []);
  const mean = (values: readonly number[]) =>
    values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  const sum = (values: readonly number[]) =>
    values.length === 0 ? null : values.reduce((total, value) => total + value, 0);
  const greatest = (pick: (point: Point) => number) => Math.max(...points.map(pick));
  return {
    atMs: last.atMs,
    accepted: mean(known('accepted')),
    saved: mean(known('saved')),
    rolledBack: mean(known('rolledBack')),
    retries: mean(known('retries')),
    oldestAgeMs: greatest(({ oldestAgeMs }) => oldestAgeMs),
    dueAgeMs: greatest(({ dueAgeMs }) => dueAgeMs),
    buffered: greatest(({ buffered }) => buffered),
    inFlight: greatest(({ inFlight }) => inFlight),
    fill: mean(known('fill')),
    batches: sum(known('batches')),
    lowerBound: sum(known('lowerBound')),
    waits: greatestOfEach(points.map(({ waits }) => waits)),
    refused: meanOfEach(points.map(({ refused }) => refused)),
    commit: slowest(points.map(({ commit }) => commit)),
    save: slowest(points.map(({ save }) => save)),
  };
}

function waitCounts({ shards }: WaitsView): Point['waits'] {
  const counts: Point['waits'] = {};
  for (const { waits } of shards)
    for (const { for: reason, records } of waits) counts[reason] = (counts[reason] ?? 0) + records;
  return counts;
}

type Counts<Key extends string> = Partial<Record<Key, number>>;

function entriesOf<Key extends string>(counts: Counts<Key>): [Key, number][] {
  return Object.entries(counts) as [Key, number][];
}

function perSecond<Key extends string>(counts: Counts<Key>, seconds: number): Counts<Key> {
  const rates: Counts<Key> = {};
  for (const [key, value] of entriesOf(counts)) rates[key] = value / seconds;
  return rates;
}

function greatestOfEach<Key extends string>(all: readonly Counts<Key>[]): Counts<Key> {
  const greatest: Counts<Key> = {};
  for (const counts of all)
    for (const [key, value] of entriesOf(counts)) greatest[key] = Math.max(greatest[key] ?? 0, value);
  return greatest;
}

function meanOfEach<Key extends string>(all: readonly Counts<Key>[]): Counts<Key> {
  const mean: Counts<Key> = {};
  for (const counts of all)
    for (const [key, value] of entriesOf(counts)) mean[key] = (mean[key] ?? 0) + value / all.length;
  return mean;
}

function slowest(all: readonly (Latency | null)[]): Latency | null {
  const known = all.flatMap((latency) => latency ?? []);
  if (known.length === 0) return null;
  const greatest = (pick: (latency: Latency) => number) => Math.max(...known.map(pick));
  return {
    p50: greatest(({ p50 }) => p50),
    p95: greatest(({ p95 }) => p95),
    p99: greatest(({ p99 }) => p99),
  };
}

/** Values of a point, in the order of {@link FIELDS}. */
type PackedPoint = Point[keyof Point][];

/** In the order in which points are sent. */
const FIELDS = [
  ...(['atMs', 'accepted', 'saved', 'rolledBack', 'retries', 'oldestAgeMs', 'dueAgeMs'] as const),
  ...([
    'buffered',
    'inFlight',
    'fill',
    'batches',
    'lowerBound',
    'waits',
    'refused',
    'commit',
    'save',
  ] as const),
] as const satisfies readonly (keyof Point)[];

/** Points for sending: a third of their length as objects. Rates have three digits. */
export function packHistory({ sinceMs, seconds, tens }: LiveHistory): PackedHistory {
  return { sinceMs, fields: [...FIELDS], seconds: seconds.map(packPoint), tens: tens.map(packPoint) };
}

/** The opposite. Fields that are new are left out, fields that are missing become null. */
export function unpackHistory({ sinceMs, fields, seconds, tens }: PackedHistory): LiveHistory {
  const places = FIELDS.map((field) => fields.indexOf(field));
  const unpack = (row: readonly unknown[]) =>
    Object.fromEntries(FIELDS.map((field, i) => [field, row[places[i] ?? -1] ?? null])) as unknown as Point;
  return { sinceMs, seconds: seconds.map(unpack), tens: tens.map(unpack) };
}

function packPoint(point: Point): PackedPoint {
  return FIELDS.map((field) => {
    const value = point[field];
    return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(3)) : value;
  });
}

/** Mean of what is known of the last so many milliseconds; null when nothing is. */
export function meanOf(
  points: readonly Point[],
  field: 'accepted' | 'saved' | 'rolledBack' | 'retries',
  overMs: number,
): number | null {
  const since = (points.at(-1)?.atMs ?? 0) - overMs;
  const known = points.flatMap((point) =>
    point.atMs > since && point[field] !== null ? [point[field]] : [],
  );
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
