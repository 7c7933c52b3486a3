import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERRORS, isKeepapartError, KeepapartError } from '../../src/domain/errors';
import { describeReceived } from '../../src/domain/field-problems';
import type { ErrorCode } from '../../src/domain/errors';

interface Documented {
  code: string;
  status: string;
  retried: string;
  body: string;
}

const documented = readSections(readFileSync(join(__dirname, '../../docs/ERRORS.md'), 'utf8'));

/** The sections of docs/ERRORS.md, one per code: `### `code`` and a list with status and retried. */
function readSections(markdown: string): Documented[] {
  return markdown
    .split(/^(?=##+ )/m)
    .filter((section) => section.startsWith('### '))
    .map((section) => ({
      code: /^### `([a-z-]+)`\n/.exec(section)?.[1] ?? `no code in: ${section.slice(0, 40)}`,
      status: /^- Status: (.+)$/m.exec(section)?.[1] ?? 'missing',
      retried: /^- Retried: (.+)$/m.exec(section)?.[1] ?? 'missing',
      body: section,
    }));
}

describe('docs/ERRORS.md and the catalogue', () => {
  test('have the same codes, each once, in the same order.', () => {
    expect(documented.map(({ code }) => code)).toEqual(Object.keys(ERRORS));
  });

  test.each(documented)(
    'agree on the status of $code, and on who retries it.',
    ({ code, status, retried }) => {
      const entry: { status?: number; retried: string } = ERRORS[code as ErrorCode];
      expect({ status, retried }).toEqual({ status: String(entry.status ?? 'none'), retried: entry.retried });
    },
  );

  test.each(documented)('say what to do about $code.', ({ body }) => {
    expect(body).toMatch(/^- To do: \S/m);
  });
});

test('An error has its code, its problems and the time of the next try.', () => {
  const problems = [{ field: '/0', expected: 'a record', received: 'nothing' }];
  const cause = new Error('beneath');
  const error = new KeepapartError('buffer-full', 'Full', { problems, retryAfterMs: 10, cause });
  expect(error).toMatchObject({ code: 'buffer-full', message: 'Full', problems, retryAfterMs: 10, cause });
  expect(error.entry).toBe(ERRORS['buffer-full']);
});

test('An error without options has no problems, no time of the next try, and no cause.', () => {
  const error = new KeepapartError('internal', 'Oh');
  expect(error.problems).toEqual([]);
  expect(error.retryAfterMs).toBeUndefined();
  expect('cause' in error).toBe(false);
});

test('An error is recognised by its shape, and only with a code from the catalogue.', () => {
  expect(isKeepapartError(new KeepapartError('internal', 'Oh'))).toBe(true);
  expect(isKeepapartError(Object.assign(new Error('Oh'), { name: 'KeepapartError', code: 'internal' }))).toBe(
    true,
  );
  expect(isKeepapartError(Object.assign(new Error('Oh'), { name: 'KeepapartError', code: 'other' }))).toBe(
    false,
  );
  expect(isKeepapartError(Object.assign(new Error('Oh'), { code: 'internal' }))).toBe(false);
  expect(
    isKeepapartError(Object.assign(new Error('Oh'), { name: 'KeepapartError', code: 'constructor' })),
  ).toBe(false);
  expect(isKeepapartError({ name: 'KeepapartError', code: 'internal' })).toBe(false);
  expect(isKeepapartError(undefined)).toBe(false);
});

test.each([
  [undefined, 'nothing'],
  [null, 'null'],
  ['', '"" (string)'],
  [5, '5 (number)'],
  [[1], '[1] (array)'],
  [{ a: 1 }, '{"a":1} (object)'],
  ['x'.repeat(100), `"${'x'.repeat(76)}... (string)`],
])('A received value is described by its shortened JSON and its type: %j.', (value, shown) => {
  expect(describeReceived(value)).toBe(shown);
});
