import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { KeepapartError } from '../../domain/errors';
import { sharingBoundary } from '../problems/error-boundary';

/** A map, because a client's value must not find a property that every object has. */
const DECOMPRESS = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);

/**
 * The body as it was before it was compressed: the request itself when it wasn't. A request that breaks off ends the
 * stream with an error. @throws `unsupported-media-type` for an encoding that isn't known
 */
export function decompressed(req: IncomingMessage): Readable {
  const encoding = (req.headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding === 'identity') return req;
  const create = DECOMPRESS.get(encoding);
  if (create === undefined)
    throw new KeepapartError('unsupported-media-type', 'The content encoding is none of gzip, deflate, br');
  const stream = sharingBoundary(req, create());
  req.once('error', (error) => stream.destroy(error));
  req.once('aborted', () => stream.destroy(new Error('aborted')));
  return req.pipe(stream);
}
