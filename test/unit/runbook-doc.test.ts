import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');

/** What happens, in the words of docs/RUNBOOK.md, and the test that shows it. */
const CASES = JSON.parse(readFileSync(path.join(__dirname, 'runbook-cases.json'), 'utf8')) as Record<
  string,
  { file: string; title: string }
>;

/** The first cells of the runbook's tables, up to its alerts, which start from a metric and not from an event. */
const HAPPENINGS = readFileSync(path.join(ROOT, 'docs/RUNBOOK.md'), 'utf8')
  .split(/^## Alerts$/m)[0]!
  .split(/^\| if… .*\n\|.*\n/m)
  .slice(1)
  .flatMap((afterHeader) => /^(?:\|.*\n)*/.exec(afterHeader)![0].trimEnd().split('\n'))
  .map((row) => row.split(/ *(?<!\\)\| */)[1]!);

test('The runbook covers more than forty cases.', () => {
  expect(HAPPENINGS.length).toBeGreaterThan(40);
});

test('Every row of the runbook names a test that shows it, and every named test has its row.', () => {
  expect([...HAPPENINGS].sort()).toEqual(Object.keys(CASES).sort());
});

test.each(Object.entries(CASES))(
  'what happens if %s is shown by a test that exists',
  (_, { file, title }) => {
    expect(existsSync(path.join(ROOT, file))).toBe(true);
    const source = readFileSync(path.join(ROOT, file), 'utf8').replaceAll("\\'", "'");
    const titled = ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
    expect({ title, titled }).toEqual({ title, titled: true });
  },
);
