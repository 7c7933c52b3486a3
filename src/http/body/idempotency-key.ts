import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { isRequestId } from '../../contracts/workflow/ids';
import { KeepapartError } from '../../domain/errors';
import { describeReceived } from '../../domain/field-problems';
import { isRedriveId } from '../../domain/redrive';
import { scopedId } from '../../domain/scope';
import { keyNameOf } from '../guards/auth';

const EXPECTED =
  'one key of up to 128 letters, digits and . _ : -, the first a letter or digit, with or without double quotes, ' +
  'not beginning like the id of a redrive (redrive-1.); a UUID is best';

/** A requestId that isn't a redrive's, see `isRequestId` and `isRedriveId`. */
const KEY = '(?!redrive-[0-9]+\\..)[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}';

/** For the description; {@link idempotencyKeyOf} reads the header. */
export const idempotencyKeySchema = z
  .string()
  .regex(new RegExp(`^(${KEY}|"${KEY}")$`))
  .optional()
  .meta({
    description:
      'The request is accepted once under this key: the same records again get the same answer, others 409. It becomes ' +
      'the requestId; with API keys, after the name of the API key and a tilde, because each API key has its own keys. ' +
      `${EXPECTED.charAt(0).toUpperCase()}${EXPECTED.slice(1)}.`,
  });

/**
 * Id of a request that must be accepted only once: the client's key, kept apart from the same key of other clients
 * (G11).
 */
export function keyedRequestIdOf(req: IncomingMessage, res: ServerResponse): string | undefined {
  const key = idempotencyKeyOf(req.headers);
  return key === undefined ? undefined : scopedId(keyNameOf(res), key);
}

/**
 * The key under which a request is accepted only once (G5); `undefined` without the header. Quotes, which the IETF
 * draft requires and few clients send, are not part of the key.
 * @throws `invalid-request` if it can't be a requestId
 */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const received = headers['idempotency-key'];
  if (received === undefined) return undefined;
  const key = /^"(?<quoted>[^"]*)"$/.exec(String(received))?.groups?.['quoted'] ?? String(received);
  if (isRequestId(key) && !isRedriveId(key)) return key;
  throw new KeepapartError('invalid-request', 'The Idempotency-Key is not valid; nothing was taken', {
    problems: [{ field: 'Idempotency-Key', expected: EXPECTED, received: describeReceived(received) }],
  });
}
