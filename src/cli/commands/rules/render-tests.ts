import type { JsonValue } from '../../../domain/json';
import { colours } from '../../terminal/colours';
import { plain } from '../../terminal/text';
import { ruleText } from './read-rules';
import type { Failure, TestResult } from './run-policy';

/** The tests of one file. */
export interface FileResult {
  file: string;
  tests: TestResult[];
}

/** A line for each test, and what was expected and received of those that failed. */
export function renderTests(files: readonly FileResult[]): string {
  const tests = files.flatMap((file) => file.tests);
  const failed = tests.filter(({ passed }) => !passed).length;
  const sum = `${tests.length - failed} passed, ${failed} failed`;
  return [
    ...files.flatMap(({ file, tests }) => [plain(file), ...tests.flatMap(linesOf), '']),
    failed === 0 ? colours.green(sum) : colours.red(sum),
    '',
  ].join('\n');
}

function linesOf({ name, passed, failures }: TestResult): string[] {
  if (passed) return [`  ${colours.green('passed')}  ${plain(name)}`];
  return [`  ${colours.red('FAILED')}  ${plain(name)}`, ...failures.flatMap(linesOfFailure)];
}

function linesOfFailure({ expectation, expected, received, because }: Failure): string[] {
  return [
    `    ${expectation}`,
    `      expected  ${text(expected)}`,
    `      received  ${text(received)}`,
    ...(because ?? []).map((rule) => `      because   ${ruleText(rule)} keeps them apart`),
  ];
}

/** Longer ones are cut; `--json` has them whole. */
const MAX_LENGTH = 400;

function text(value: JsonValue): string {
  const all = plain(JSON.stringify(value));
  return all.length > MAX_LENGTH ? `${all.slice(0, MAX_LENGTH - 1)}…` : all;
}
