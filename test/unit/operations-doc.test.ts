import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../..');
const PAGE = readFileSync(path.join(ROOT, 'docs/OPERATIONS.md'), 'utf8');

/** The rows of “What happens if…”: what, then what, and `file`: “title” of the test that shows it. */
const ROWS = (/^## What happens if…$(.*?)^## /ms.exec(PAGE)?.[1] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .slice(2)
  .map((line) => {
    const [happening = '', , shownBy = ''] = line.split(/ *(?<!\\)\| */).slice(1);
    return { happening, shownBy };
  });

test('the page tells what happens in more than forty cases', () => {
  expect(ROWS.length).toBeGreaterThan(40);
});

test.each(ROWS)('what happens if $happening is shown by a test that is there', ({ shownBy }) => {
  const { file, title } = /^`(?<file>test\/[^`]+)`: “(?<title>[^”]+)”$/.exec(shownBy)?.groups ?? {};
  expect(file !== undefined && existsSync(path.join(ROOT, file))).toBe(true);
  const source = readFileSync(path.join(ROOT, file!), 'utf8').replaceAll("\\'", "'");
  const titled = ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
  expect({ title, titled }).toEqual({ title, titled: true });
});
