import type { Parser } from './parse';

const EXPECTED =
  'nothing, or postgres://user:password@host:port/database, with percent-encoding for special characters; for a socket ' +
  'postgres:///database?host=/folder&user=name';

/** The address of a database. Problems never repeat it, because it contains a password. */
export function postgresUrl(): Parser<string> {
  return {
    expected: EXPECTED,
    parse(raw) {
      if (raw === '' || (typeof raw === 'string' && /^postgres(ql)?:\/\//.test(raw) && URL.canParse(raw))) {
        return { value: raw };
      }
      const received = 'something else (not shown, because it may contain a password)';
      return { problems: [{ field: '', expected: EXPECTED, received }] };
    },
  };
}

/** Host, port and database: the only parts of an address that may be shown. */
export function showPostgresUrl(url: string): string {
  if (url === '') return '';
  const { host, pathname, searchParams } = new URL(url);
  return `${host || (searchParams.get('host') ?? '')}${pathname}`;
}
