import type { IncomingMessage } from 'node:http';
import { MIMEType } from 'node:util';
import { KeepapartError } from '../../domain/errors';

/**
 * Type and subtype of a body, in lower case; `undefined` where there is none that can be read.
 * @throws `unsupported-media-type` for another charset than UTF-8
 */
export function contentTypeOf(req: IncomingMessage): string | undefined {
  const header = req.headers['content-type'];
  // The form that nearly all clients send.
  if (header === 'application/json') return header;
  let type: MIMEType;
  try {
    type = new MIMEType(header ?? '');
  } catch {
    return undefined;
  }
  const charset = type.params.get('charset') ?? 'utf-8';
  if (charset.toLowerCase() !== 'utf-8')
    throw new KeepapartError('unsupported-media-type', 'Send the body in UTF-8, the only charset of JSON');
  return type.essence;
}
