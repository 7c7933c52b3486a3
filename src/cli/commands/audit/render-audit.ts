import {
  LISTED,
  type BatchReport,
  type ClosedReport,
  type FileReport,
  type Found,
  type Missing,
  type ShardSum,
  type Surplus,
} from '../../../domain/audit/report';
import type { BrokenRule } from '../../../domain/audit/rules';
import { colours } from '../../terminal/colours';
import { counted } from '../../terminal/table';
import type { AuditReport } from './run-audit';

/** The report for people: what was held against what, the figures, and the first places of each kind of damage. */
export function renderAudit(report: AuditReport): string {
  const { checked, files, batches, postgres, s3, sums } = report;
  const counted = [
    ...figures(report),
    ...(batches === null ? [] : batchFigures(batches)),
    ...(postgres === null ? [] : closedFigures('Postgres', postgres)),
    ...(s3 === null ? [] : closedFigures('S3', s3)),
    ...(sums === null ? [] : sumFigures(sums)),
  ];
  const width = Math.max(...counted.map(([, count]) => String(count).length));
  return [
    `Audit of ${checked.outDir}`,
    `  at most ${checked.maxBatchSize} records a file (MAX_BATCH_SIZE), kept apart: ${JSON.stringify(checked.conflicts)}`,
    ...judgedByBatch(files),
    ...checked.ledgers.map((ledger) => `  ledger ${ledger}`),
    ...(checked.temporal === null
      ? []
      : [`  Temporal: namespace ${checked.temporal.namespace}, batcher ${checked.temporal.batcherId}`]),
    ...(checked.postgres === null ? [] : [`  Postgres: ${checked.postgres}`]),
    ...(checked.s3 === null ? [] : [`  S3: ${checked.s3}`]),
    '',
    ...counted.map(([what, count, bad]) => {
      const line = `  ${String(count).padStart(width)}  ${what}`;
      return bad === true && count > 0 ? colours.red(line) : line;
    }),
    '',
    ...fileDamage(files),
    ...(batches === null ? [] : batchDamage(batches)),
    ...[postgres, s3].flatMap((closed) => (closed === null ? [] : closedDamage(closed))),
    ...(sums === null ? [] : sumDamage(sums)),
    ...remarks(report),
    report.clean ? colours.green('Nothing is damaged.') : colours.red('There is damage.'),
    '',
  ].join('\n');
}

/** Of how many files that isn't what they were held against. */
function judgedByBatch({ judgedByBatch, cutOtherwise, files }: FileReport): string[] {
  if (judgedByBatch === 0) return [];
  const others = cutOtherwise === 0 ? '' : `, which ${cutOtherwise} of them need`;
  return [
    `  ${judgedByBatch} of ${files} files by the size and the rules that stand with their batch instead${others}`,
  ];
}

type Figure = [what: string, count: number, bad?: boolean];

function figures({ files: { acknowledged, damage, ...files } }: AuditReport): Figure[] {
  const { total, saved, rolledBack } = files.outcomes;
  const withLedger = (...rows: Figure[]): Figure[] => (acknowledged === null ? [] : rows);
  return [
    ...withLedger(['records acknowledged', acknowledged ?? 0]),
    [`outcomes (${saved} saved, ${rolledBack} rolled back)`, total],
    ...withLedger(['waiting, buffered or in a running batch', files.waiting]),
    ...withLedger(['missing: acknowledged, without outcome (G4)', damage.missing.count, true]),
    ['doubled: outcomes beyond one a record (G4)', damage.doubled.count, true],
    ...withLedger(
      ['with another value than was acknowledged', damage.altered.count, true],
      ['outcomes that nobody acknowledged', files.unacknowledged?.count ?? 0],
    ),
    ['files', files.files],
    ['files over size (G1)', damage.overSize.count, true],
    ['files that break a rule (G2)', damage.conflicting.count, true],
    ['torn files (G10)', damage.torn.count, true],
    ['files of a batch that has another', damage.sameBatch.count, true],
  ];
}

function batchFigures({ damage, ...batches }: BatchReport): Figure[] {
  return [
    ['batches completed', batches.completed],
    ['completed batches without their file', damage.fileMissing.count, true],
    ['completed batches whose file has other bytes', damage.fileDiffers.count, true],
    ['batches running', batches.running],
    [
      `batches closed without completing, ${counted(batches.abandonedRecords, 'record')} without outcome`,
      damage.abandoned.count,
      true,
    ],
    ['batches closed without completing, but with their file', batches.closedWithFile],
    ['files of batches that Temporal does not list', batches.unlistedFiles],
    ['batches that Temporal forgot meanwhile', batches.forgotten],
  ];
}

function closedFigures(store: string, { damage, ...closed }: ClosedReport): Figure[] {
  return [
    [`batches closed in ${store}`, closed.closed],
    [`batches closed in ${store} without their file`, damage.notPublished.count, true],
    [`batches closed in ${store} whose file has other bytes`, damage.publishedOtherwise.count, true],
    [`batches closed in ${store} within a minute, no file yet`, closed.publishing],
    [`files of batches that ${store} does not have`, closed.unlistedFiles],
  ];
}

function sumFigures(sums: readonly ShardSum[]): Figure[] {
  const total = (pick: (sum: ShardSum) => number) => sums.reduce((records, sum) => records + pick(sum), 0);
  return [
    ['records accepted by the open batchers', total(({ accepted }) => accepted)],
    ['of these buffered', total(({ bufferedRecords }) => bufferedRecords)],
    ['of these in flight', total(({ inFlightRecords }) => inFlightRecords)],
    [
      "of these lost: deleted with Temporal's own tools before they had an outcome",
      total(({ lost }) => lost),
    ],
    ['of these unaccounted for (G4)', total(({ unaccounted }) => Math.abs(unaccounted)), true],
  ];
}

function sumDamage(sums: readonly ShardSum[]): string[] {
  const wrong = sums.filter(({ unaccounted }) => unaccounted !== 0);
  if (wrong.length === 0) return [];
  return [
    'Unaccounted for (docs/OPERATIONS.md, "Unaccounted records"):',
    ...wrong.map(
      ({ batcher, accepted, saved, rolledBack, lost, bufferedRecords, inFlightRecords, unaccounted }) =>
        `  ${batcher}: ${counted(unaccounted, 'record')}; accepted ${accepted}, saved ${saved}, rolled back ${rolledBack}, ` +
        `lost ${lost}, buffered ${bufferedRecords}, in flight ${inFlightRecords}`,
    ),
    '',
  ];
}

function fileDamage({ damage, unacknowledged }: FileReport): string[] {
  return [
    ...section('Missing', damage.missing, missing),
    ...section('Doubled', damage.doubled, surplus),
    ...section('Altered', damage.altered, ({ recordId, file }) => `${recordId} in ${file}`),
    ...section('Over size', damage.overSize, ({ file, records }) => `${file}: ${records} records`),
    ...section('Rules broken', damage.conflicting, ({ file, broken }) => `${file}: ${brokenRules(broken)}`),
    ...section('Torn', damage.torn, ({ file, problem }) => `${file}: ${problem}`),
    ...section(
      'Two files of one batch',
      damage.sameBatch,
      ({ batchId, files }) => `${batchId}: ${all(files)}`,
    ),
    ...(unacknowledged === null ? [] : section('Not acknowledged (no damage)', unacknowledged, surplus)),
  ];
}

function batchDamage({ damage }: BatchReport): string[] {
  return [
    ...section('Files missing', damage.fileMissing, ({ batchId, file }) => `${file} of ${batchId}`),
    ...section('Files with other bytes', damage.fileDiffers, ({ file, problem }) => `${file}: ${problem}`),
    ...section('Closed without completing', damage.abandoned, ({ batchId, records }) => {
      return `${batchId}: ${counted(records, 'record')}`;
    }),
  ];
}

function closedDamage({ damage }: ClosedReport): string[] {
  return [
    ...section('Not published', damage.notPublished, ({ file }) => file),
    ...section('Published with other bytes', damage.publishedOtherwise, ({ file }) => file),
  ];
}

function section<T>(title: string, { count, first }: Found<T>, render: (place: T) => string): string[] {
  if (count === 0) return [];
  const cut = first.length === LISTED ? ` (the first ${LISTED} places)` : '';
  return [`${title}: ${count}${cut}`, ...first.map((place) => `  ${render(place)}`), ''];
}

function missing(place: Missing): string {
  if ('recordId' in place) return place.recordId;
  return `${place.missing} of ${place.acknowledged} records with the value ${place.value}, among them ${all(place.among)}`;
}

function surplus(place: Surplus): string {
  if ('recordId' in place) return `${place.recordId} in ${all(place.files)}`;
  return `${place.lines} lines with the value ${place.value}, one in ${place.file}`;
}

function brokenRules(broken: readonly BrokenRule[]): string {
  return broken
    .map(({ rule, records: [a, b] }) => `${JSON.stringify(rule)} by records ${a} and ${b}`)
    .join('; ');
}

function all(names: readonly string[]): string {
  return [...new Set(names)].join(', ');
}

function remarks({ ledger, files, batches, silentBatchers }: AuditReport): string[] {
  const told: string[] = [];
  if (ledger !== null && ledger.tornLines > 0) {
    told.push(
      `${ledger.tornLines} of the ledgers end in a torn line, which is left out: their writers were killed.`,
    );
  }
  if (silentBatchers.length > 0) {
    told.push(
      `${silentBatchers.join(', ')} did not answer (does a worker run?): what is buffered there counts as missing, and its sum was not checked.`,
    );
  }
  if (batches === null && files.damage.missing.count > 0) {
    told.push('Work that runs was not looked at: what is missing may be on its way; --temporal tells.');
  }
  return told.length === 0 ? [] : [...told, ''];
}
