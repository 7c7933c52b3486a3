import {
  batchDamages,
  closedDamages,
  fileDamages,
  notAcknowledged,
  sumDamages,
  type Damage,
} from '../../../domain/audit/damages';
import {
  LISTED,
  type BatchReport,
  type ClosedReport,
  type FileReport,
  type ShardSum,
} from '../../../domain/audit/report';
import { colours } from '../../terminal/colours';
import { counted } from '../../../domain/format';
import type { AuditReport } from '../../../embed/audit/run-audit';

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
    ...sections([
      ...fileDamages(files.damage),
      ...(files.unacknowledged === null ? [] : notAcknowledged(files.unacknowledged)),
      ...(batches === null ? [] : batchDamages(batches.damage)),
      ...[postgres, s3].flatMap((closed) => (closed === null ? [] : closedDamages(closed))),
    ]),
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

/** The sums that don't add up come with where to read what that means, and without a number. */
function sumDamage(sums: readonly ShardSum[]): string[] {
  return sumDamages(sums).flatMap(({ title, places }) => [
    `${title} (docs/OPERATIONS.md, "Unaccounted records"):`,
    ...places.map(({ text }) => `  ${text}`),
    '',
  ]);
}

function sections(damages: readonly Damage[]): string[] {
  return damages.flatMap(({ title, count, places }) => {
    const cut = places.length === LISTED ? ` (the first ${LISTED} places)` : '';
    return [`${title}: ${count}${cut}`, ...places.map(({ text }) => `  ${text}`), ''];
  });
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
