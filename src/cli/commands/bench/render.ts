import type { Measured } from './load';
import type { Profile } from './profiles';
import type { FileReport } from '../../../domain/audit/report';
import { colours } from '../../terminal/colours';
import { count, counted } from '../../../domain/format';
import { table } from '../../terminal/table';

/** What `--json` prints. */
export interface BenchReport {
  records: number;
  results: ({ profile: Profile } & Measured)[];
}

/** A line for each profile, and what the figures are. */
export function renderBench({ records, results }: BenchReport): string {
  const head = ['SAVE_ACTIVITY', 'records/s', 'p50 s', 'p99 s', 'files'];
  const rows = results.map(({ profile, perSecond, p50Ms, p99Ms, report, clean }) => [
    profile.name,
    count(Math.round(perSecond)),
    (p50Ms / 1000).toFixed(2),
    (p99Ms / 1000).toFixed(2),
    clean ? 'complete' : damageOf(report),
  ]);
  return [
    '',
    table([head, ...rows], [1, 2, 3]),
    '',
    colours.dim(
      `${counted(records, 'record')} each, sent as fast as they were taken; a record's time is from its`,
    ),
    colours.dim('acknowledgement to its file, behind all that was sent before it.'),
    '',
    '',
  ].join('\n');
}

/** Every kind of damage that there is, with its count. */
function damageOf({ damage, acknowledged }: FileReport): string {
  const found = Object.entries(damage).filter(([, { count: places }]) => places > 0);
  return found.length === 0
    ? `${acknowledged ?? 0} acknowledged`
    : found.map(([kind, { count: places }]) => `${places} ${kind}`).join(', ');
}
