import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { KeepapartError } from '../domain/errors';
import type { ApiKey } from './deps';

/** Whose key each request came with. */
const keyNames = new WeakMap<Response, string>();

/** Name of the API key that was presented; `undefined` when no keys are needed. */
export function keyNameOf(res: Response): string | undefined {
  return keyNames.get(res);
}

/**
 * Lets only holders of one of the keys through, as `Authorization: Bearer <key>` or `X-Api-Key: <key>`; everybody
 * when there are no keys. Throws `unauthorized`, and at once `invalid-config` when a digest isn't a SHA-256.
 */
export function requireApiKey(apiKeys: readonly ApiKey[]): RequestHandler {
  const known = apiKeys.map(({ name, sha256 }) => ({ name, digest: digestOf(name, sha256) }));
  return (req, res, next) => {
    if (known.length === 0) {
      next();
      return;
    }
    const key = presentedKey(req);
    const presented = createHash('sha256').update(key).digest();
    // Every entry is compared, and digests rather than keys: the time taken tells nothing about any key.
    const [holder] = known.filter(({ digest }) => timingSafeEqual(digest, presented) && key !== '');
    if (!holder) {
      res.set('WWW-Authenticate', 'Bearer realm="keepapart"');
      throw new KeepapartError(
        'unauthorized',
        'Send a key that is in force as "Authorization: Bearer <key>"',
      );
    }
    keyNames.set(res, holder.name);
    next();
  };
}

/** An empty text when there is none; that opens nothing, whatever digests are configured. */
function presentedKey(req: Request): string {
  const bearer = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  return bearer ?? req.get('x-api-key') ?? '';
}

function digestOf(name: string, sha256: string): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(sha256))
    throw new KeepapartError(
      'invalid-config',
      `The key of ${name} is not given by its SHA-256, 64 hex digits`,
    );
  return Buffer.from(sha256, 'hex');
}
