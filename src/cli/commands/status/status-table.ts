import type { CutsView, ShardView, StatusView } from '../../../client';
import type { Reading } from '../../../contracts/api/live-points';
import { SECOND } from '../../../domain/duration';
import { bytes, count, counted, duration } from '../../../domain/format';
import { colours } from '../../terminal/colours';
import { table, timeText, type Cell } from '../../terminal/table';
import { percent, plain } from '../../terminal/text';

const HEAD = [
  'shard',
  'buffered',
  'bytes',
  'oldest',
  'in flight',
  'accepted',
  'saved',
  'rolled back',
  'retries',
];
const RATES = ['in/s', 'out/s'];

/** A row for each shard and one for all; with an earlier status, how many records came in and had their outcome a second. */
export function renderStatus(now: Reading, before?: Reading): string {
  const { shards, total } = now.status;
  const seconds = before && (now.atMs - before.atMs) / SECOND;
  const ratesOf = (shard: Counted, earlier: Counted | undefined) =>
    seconds === undefined ? [] : ratesBetween(shard, earlier, seconds);
  const head = [...HEAD, ...(seconds === undefined ? [] : RATES), 'state'];
  const rows = shards.map((shard) => [
    String(shard.shard),
    ...figuresOf(shard),
    ...ratesOf(
      shard,
      before?.status.shards.find((other) => other.shard === shard.shard),
    ),
    stateOf(shard),
  ]);
  const sum = ['total', ...figuresOf(total), ...ratesOf(total, before?.status.total), ''];
  const right = head.map((_, column) => column).slice(1, -1);
  return [table([head, ...rows, sum], right), ...cutLines(total.cuts), ...missingLines(total)].join('\n');
}

/** What has no outcome and never will by itself; nothing, as a rule. */
function missingLines({ counters: { lost }, unaccounted }: StatusView['total']): string[] {
  return [
    ...(lost === 0
      ? []
      : ['', `${counted(lost, 'record')} lost: somebody deleted the page or batch that held them`]),
    ...(unaccounted === 0
      ? []
      : [
          '',
          `${counted(unaccounted, 'record')} unaccounted for: see docs/OPERATIONS.md, "Unaccounted records"`,
        ]),
  ];
}

/** How full the batches of all shards were, how near to the fewest, and what rules cost; nothing before the first batch. */
function cutLines({ batches, fillRatio, lowerBound, deferred, deferredBy }: CutsView): string[] {
  if (fillRatio === null) return [];
  const few = batches === lowerBound ? 'as few as could be' : `at least ${count(lowerBound)} were needed`;
  return [
    '',
    `batches ${percent(fillRatio)} full; ${count(batches)} of them, ${few}; records deferred by rules: ${count(deferred)}`,
    ...deferredBy.map(
      ({ rule, records }) => `  deferred ${count(records)} by ${plain(JSON.stringify(rule))}`,
    ),
  ];
}

type Counted = Pick<ShardView, 'counters'>;

function figuresOf(view: StatusView['total'] | ShardView): string[] {
  const { bufferedRecords, bufferedBytes, oldestAgeMs, inFlight, counters } = view;
  return [
    count(bufferedRecords),
    bytes(bufferedBytes),
    oldestAgeMs === null ? '–' : duration(oldestAgeMs),
    count(inFlight),
    ...[counters.accepted, counters.saved, counters.rolledBack, counters.retries].map(count),
  ];
}

function ratesBetween(now: Counted, before: Counted | undefined, seconds: number): string[] {
  if (before === undefined || seconds <= 0) return RATES.map(() => '–');
  const ended = ({ counters }: Counted) => counters.saved + counters.rolledBack;
  return [now.counters.accepted - before.counters.accepted, ended(now) - ended(before)].map((difference) =>
    (Math.max(0, difference) / seconds).toFixed(1),
  );
}

function stateOf({ paused, drain, storeAway }: ShardView): Cell {
  if (paused)
    return {
      text: `paused by ${paused.by} since ${timeText(new Date(paused.atMs).toISOString())}`,
      paint: colours.yellow,
    };
  if (storeAway)
    return {
      text: `store away since ${timeText(storeAway.since)}: ${storeAway.reason}`,
      paint: colours.red,
    };
  return drain && drain.bufferedRecords + drain.inFlight > 0 ? 'draining' : 'running';
}
