import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { KeepapartError } from '../../domain/errors';
import { RIGHTS, type Right } from '../../domain/rights';
import type { ApiKey } from '../deps';
import type { Step } from '../steps';

/** Who calls: the holder of a key, or anybody where no keys are needed. */
interface Caller {
  keyName: string | undefined;
  rights: readonly Right[];
}

const ANYBODY: Caller = { keyName: undefined, rights: RIGHTS };

const callers = new WeakMap<ServerResponse, Caller>();

/** Name of the API key that was presented; `undefined` when no keys are needed. */
export function keyNameOf(res: ServerResponse): string | undefined {
  return callers.get(res)?.keyName;
}

/** Who calls, once {@link requireApiKey} has let them through. */
export function callerOf(res: ServerResponse): { name: string | null; rights: readonly Right[] } {
  const { keyName, rights } = callers.get(res) ?? { keyName: undefined, rights: [] };
  return { name: keyName ?? null, rights };
}

/**
 * Lets only holders of one of the keys through, as `Authorization: Bearer <key>` or `X-Api-Key: <key>`; everybody
 * when there are no keys. Throws `unauthorized`, and at once `invalid-config` when a digest isn't a SHA-256.
 */
export function requireApiKey(apiKeys: readonly ApiKey[]): Step {
  const known = apiKeys.map(({ name, sha256, rights }) => ({
    caller: { keyName: name, rights },
    digest: digestOf(name, sha256),
  }));
  return (req, res) => {
    if (known.length === 0) {
      callers.set(res, ANYBODY);
      return;
    }
    const key = presentedKey(req);
    const presented = createHash('sha256').update(key).digest();
    // Every entry is compared, and digests rather than keys: the time taken tells nothing about any key.
    const [holder] = known.filter(({ digest }) => timingSafeEqual(digest, presented) && key !== '');
    if (!holder) {
      res.setHeader('WWW-Authenticate', 'Bearer realm="keepapart"');
      throw new KeepapartError(
        'unauthorized',
        'Send a key that is in force as "Authorization: Bearer <key>"',
      );
    }
    callers.set(res, holder.caller);
  };
}

/** Lets only callers with this right through. Throws `forbidden`; and for whoever was asked for no key, a bug of ours. */
export function requireRight(right: Right): Step {
  return (_req, res) => {
    const caller = callers.get(res);
    if (caller === undefined)
      throw new TypeError(`a route needs ${right}, and nobody asked for a key before`);
    if (!caller.rights.includes(right)) {
      // As RFC 6750 has it, section 3.1.
      res.setHeader(
        'WWW-Authenticate',
        `Bearer realm="keepapart", error="insufficient_scope", scope="${right}"`,
      );
      throw new KeepapartError(
        'forbidden',
        `This needs the right "${right}", which the key "${caller.keyName ?? ''}" doesn't have`,
      );
    }
  };
}

/** An empty text when there is none; that opens nothing, whatever digests are configured. */
function presentedKey(req: IncomingMessage): string {
  const bearer = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  return bearer ?? String(req.headers['x-api-key'] ?? '');
}

function digestOf(name: string, sha256: string): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(sha256))
    throw new KeepapartError(
      'invalid-config',
      `The key of ${name} is not given by its SHA-256, 64 hex digits`,
    );
  return Buffer.from(sha256, 'hex');
}
