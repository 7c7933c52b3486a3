import type { Parser } from './parse';

const EXPECTED =
  'nothing, or postgres://user:password@host:port/database, with % signs for what is special in a URL; for a socket ' +
  'postgres:///database?host=/folder&user=name';

/** The address of a database. What was written is never repeated: it holds a password. */
export function postgresUrl(): Parser<string> {
  return {
    expected: EXPECTED,
    parse(raw) {
      if (raw === '' || (typeof raw === 'string' && /^postgres(ql)?:\/\//.test(raw) && URL.canParse(raw))) {
        return { value: raw };
      }
      const received = 'something else (not shown, it may hold a password)';
      return { problems: [{ field: '', expected: EXPECTED, received }] };
    },
  };
}

/** Host, port and database: all of an address that may be shown. */
export function showPostgresUrl(url: string): string {
  if (url === '') return '';
  const { host, pathname, searchParams } = new URL(url);
  return `${host || (searchParams.get('host') ?? '')}${pathname}`;
}
