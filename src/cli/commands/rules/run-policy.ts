import { conflictingRules } from '../../../domain/rules';
import { canonicalJson, type JsonValue } from '../../../domain/json';
import { partition } from '../../../domain/partition';
import { hasBoth, type Expectations, type Policy, type PolicyTest } from './policy';

/** An expectation that was not met. */
export interface Failure {
  expectation: keyof Expectations;
  expected: JsonValue;
  received: JsonValue;
  /** The rules that keep a pair apart that was expected together. */
  because?: Policy['rules'];
}

export interface TestResult {
  name: string;
  passed: boolean;
  /** As they were cut. */
  batches: JsonValue[][];
  failures: Failure[];
}

/** Cuts the records of each test by the rules, and holds the batches against what is expected. */
export function runPolicy({ rules, maxBatchSize, tests }: Policy): TestResult[] {
  return tests.map((test) => {
    const cut = partition(
      test.records.map((value) => ({ value })),
      { rules, maxBatchSize },
    );
    const batches = cut.batches.map((batch) => batch.map(({ value }) => value));
    const failures = failuresOf(test, batches, rules);
    return { name: test.name, passed: failures.length === 0, batches, failures };
  });
}

function failuresOf({ expect }: PolicyTest, batches: JsonValue[][], rules: Policy['rules']): Failure[] {
  const { batches: exactly, atMostBatches, together = [], apart = [] } = expect;
  const failures: Failure[] = [];
  if (exactly !== undefined && textOf(exactly) !== textOf(batches))
    failures.push({ expectation: 'batches', expected: exactly, received: batches });
  if (atMostBatches !== undefined && batches.length > atMostBatches)
    failures.push({ expectation: 'atMostBatches', expected: atMostBatches, received: batches.length });
  for (const pair of together) {
    if (batches.some((batch) => hasBoth(batch, pair))) continue;
    const because = conflictingRules(...pair, rules).map((rule) => rules[rule] as Policy['rules'][number]);
    const received = batches.filter((batch) => pair.some((record) => holds(batch, record)));
    failures.push({ expectation: 'together', expected: pair, received, because });
  }
  for (const pair of apart) {
    const received = batches.find((batch) => hasBoth(batch, pair));
    if (received !== undefined) failures.push({ expectation: 'apart', expected: pair, received });
  }
  return failures;
}

/** The same for batches with the same records, in whatever order these are in each. */
function textOf(batches: readonly JsonValue[][]): string {
  return JSON.stringify(batches.map((batch) => batch.map(canonicalJson).sort()));
}

function holds(batch: readonly JsonValue[], record: JsonValue): boolean {
  return batch.some((each) => canonicalJson(each) === canonicalJson(record));
}
