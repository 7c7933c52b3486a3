import type { FieldProblem } from '../domain/field-problems';
import type { Parsed, Parser } from './parse';

/** A key that payloads are encrypted with. */
export interface EncryptionKey {
  /** Written beside everything that it encrypts, so it is no secret. */
  readonly id: string;
  /** The key itself: 32 bytes in Base64. */
  readonly secret: string;
}

const ENTRY = /^([A-Za-z0-9][\w.-]{0,31}):([A-Za-z0-9+/]{43}=)$/;
const ENTRY_EXPECTED =
  'id:key, the id of 1 to 32 letters, digits, dots, dashes and underscores, the key of 32 random bytes in Base64 ' +
  '(44 characters, as `openssl rand -base64 32` prints them)';
const NOT_SHOWN = 'something else (not shown, because it may contain a key)';

/**
 * `id:base64` entries, separated by commas or lines; an array in the file. The first encrypts, all decrypt. Problems never
 * repeat what was written.
 */
export function encryptionKeys(): Parser<readonly EncryptionKey[]> {
  const expected =
    'id:key entries separated by commas, each key 32 bytes in Base64; the first encrypts, all decrypt';
  return {
    expected,
    parse(raw): Parsed<readonly EncryptionKey[]> {
      const entries: unknown = typeof raw === 'string' ? raw.split(/[,\n]/) : raw;
      if (!Array.isArray(entries)) return { problems: [{ field: '', expected, received: NOT_SHOWN }] };
      const keys: EncryptionKey[] = [];
      const problems: FieldProblem[] = [];
      for (const [index, entry] of entries.filter((one) => !isBlank(one)).entries()) {
        const key = keyFrom(entry);
        const field = `/${index}`;
        if (key === undefined) problems.push({ field, expected: ENTRY_EXPECTED, received: NOT_SHOWN });
        else if (keys.some(({ id }) => id === key.id))
          problems.push({ field, expected: 'an id that no earlier key has', received: 'the same id again' });
        else if (keys.some(({ secret }) => secret === key.secret))
          problems.push({ field, expected: 'a key that no earlier id has', received: 'the same key again' });
        else keys.push(key);
      }
      return problems.length > 0 ? { problems } : { value: keys };
    },
  };
}

function isBlank(entry: unknown): boolean {
  return typeof entry === 'string' && entry.trim() === '';
}

function keyFrom(entry: unknown): EncryptionKey | undefined {
  const [, id, secret] = (typeof entry === 'string' && ENTRY.exec(entry.trim())) || [];
  if (id === undefined || secret === undefined) return undefined;
  // The last character of 32 bytes in Base64 has two bits that must be zero.
  return Buffer.from(secret, 'base64').toString('base64') === secret ? { id, secret } : undefined;
}
