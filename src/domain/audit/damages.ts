import type { BatchDamage, ClosedReport, FileDamage, Found, Missing, ShardSum, Surplus } from './report';
import type { BrokenRule } from './rules';

/** One place where a guarantee doesn't hold. */
export interface DamagePlace {
  /** For people. */
  text: string;
  /** Id of a record or a batch, or name of a file, by which it can be found; null where there is none. */
  find: string | null;
}

/** All damage of one kind. */
export interface Damage {
  title: string;
  /** The guarantee that doesn't hold (docs/AUDIT.md); null where it is none of the numbered ones. */
  guarantee: string | null;
  count: number;
  /** The first of them. */
  places: DamagePlace[];
}

/* Each of these gives the kinds that occurred, in words. */

export function fileDamages(damage: FileDamage): Damage[] {
  return [
    ...kind('Missing', 'G4', damage.missing, missing),
    ...kind('Doubled', 'G4', damage.doubled, surplus),
    ...kind('Altered', 'G4', damage.altered, ({ recordId, file }) => [`${recordId} in ${file}`, recordId]),
    ...kind('Over size', 'G1', damage.overSize, ({ file, records }) => [`${file}: ${records} records`, file]),
    ...kind('Rules broken', 'G2', damage.conflicting, ({ file, broken }) => [
      `${file}: ${brokenRules(broken)}`,
      file,
    ]),
    ...kind('Torn', 'G10', damage.torn, ({ file, problem }) => [`${file}: ${problem}`, file]),
    ...kind('Two files of one batch', 'G4', damage.sameBatch, ({ batchId, files }) => [
      `${batchId}: ${listed(files)}`,
      batchId,
    ]),
  ];
}

export function batchDamages(damage: BatchDamage): Damage[] {
  return [
    ...kind('Files missing', 'G4', damage.fileMissing, ({ batchId, file }) => [
      `${file} of ${batchId}`,
      batchId,
    ]),
    ...kind('Files with other bytes', 'G10', damage.fileDiffers, ({ batchId, file, problem }) => [
      `${file}: ${problem}`,
      batchId,
    ]),
    ...kind('Closed without completing', 'G4', damage.abandoned, ({ batchId, records }) => [
      `${batchId}: ${records} ${records === 1 ? 'record' : 'records'}`,
      batchId,
    ]),
  ];
}

export function closedDamages({ damage }: ClosedReport): Damage[] {
  return [
    ...kind('Not published', 'G4', damage.notPublished, ({ file }) => [file, file]),
    ...kind('Published with other bytes', 'G10', damage.publishedOtherwise, ({ file }) => [file, file]),
  ];
}

/** Batchers whose sum doesn't add up; `count` is the number of records. */
export function sumDamages(sums: readonly ShardSum[]): Damage[] {
  const wrong = sums.filter(({ unaccounted }) => unaccounted !== 0);
  if (wrong.length === 0) return [];
  return [
    {
      title: 'Unaccounted for',
      guarantee: 'G4',
      count: wrong.reduce((records, { unaccounted }) => records + Math.abs(unaccounted), 0),
      places: wrong.map((sum) => ({
        text:
          `${sum.batcher}: ${sum.unaccounted} ${sum.unaccounted === 1 ? 'record' : 'records'}; ` +
          `accepted ${sum.accepted}, saved ${sum.saved}, rolled back ${sum.rolledBack}, ` +
          `lost ${sum.lost}, buffered ${sum.bufferedRecords}, in flight ${sum.inFlightRecords}`,
        find: null,
      })),
    },
  ];
}

/** Outcomes that nobody acknowledged, which are no damage. */
export function notAcknowledged(found: Found<Surplus>): Damage[] {
  return kind('Not acknowledged (no damage)', null, found, surplus);
}

type Place = [text: string, find: string | null];

function kind<T>(
  title: string,
  guarantee: string | null,
  { count, first }: Found<T>,
  describe: (finding: T) => Place,
): Damage[] {
  if (count === 0) return [];
  const places = first.map(describe).map(([text, find]) => ({ text, find }));
  return [{ title, guarantee, count, places }];
}

function missing(place: Missing): Place {
  if ('recordId' in place) return [place.recordId, place.recordId];
  const { value, missing: records, acknowledged, among } = place;
  const text = `${records} of ${acknowledged} records with the value ${value}, among them ${listed(among)}`;
  return [text, among[0] ?? null];
}

function surplus(place: Surplus): Place {
  if ('recordId' in place) return [`${place.recordId} in ${listed(place.files)}`, place.recordId];
  return [`${place.lines} lines with the value ${place.value}, one in ${place.file}`, place.file];
}

function brokenRules(broken: readonly BrokenRule[]): string {
  return broken
    .map(({ rule, records: [a, b] }) => `${JSON.stringify(rule)} by records ${a} and ${b}`)
    .join('; ');
}

function listed(names: readonly string[]): string {
  return [...new Set(names)].join(', ');
}
