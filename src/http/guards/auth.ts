import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { KeepapartError } from '../../domain/errors';
import { RIGHTS, type Right } from '../../domain/rights';
import type { ApiKey, HttpDeps } from '../deps';
import type { Step } from '../steps';
import { buckets } from './buckets';

/** The caller: the holder of a key, or anybody if no keys are required. */
interface Identified {
  keyName: string | undefined;
  rights: readonly Right[];
}

const ANYBODY: Identified = { keyName: undefined, rights: RIGHTS };

const callers = new WeakMap<ServerResponse, Identified>();
const strangers = new WeakSet<ServerResponse>();

/** Name of the presented API key, or of the caller; `undefined` if callers need not identify themselves. */
export function keyNameOf(res: ServerResponse): string | undefined {
  return callers.get(res)?.keyName;
}

/** The caller, after {@link requireApiKey} has accepted them. */
export function callerOf(res: ServerResponse): { name: string | null; rights: readonly Right[] } {
  const { keyName, rights } = callers.get(res) ?? { keyName: undefined, rights: [] };
  return { name: keyName ?? null, rights };
}

/** Whether a request is refused because its caller is unknown. */
export function isFromStranger(res: ServerResponse): boolean {
  return strangers.has(res);
}

/** Identifies the caller: through the embedding app, or by an API key. */
export function requireCaller({ apiKeys, authorize }: Pick<HttpDeps, 'apiKeys' | 'authorize'>): Step {
  if (authorize === undefined) return requireApiKey(apiKeys);
  return (req, res) => {
    const caller = authorize(req);
    if (caller === undefined) throw unauthorized(res, 'Log in where this API is mounted');
    const { name, rights } = caller;
    if (!CALLER_NAME.test(name)) throw new TypeError(`authorize named a caller that no name can be: ${name}`);
    callers.set(res, { keyName: name, rights });
  };
}

/** As names of API keys. */
const CALLER_NAME = /^[\w-]{1,32}$/;

function unauthorized(res: ServerResponse, detail: string): KeepapartError {
  strangers.add(res);
  res.setHeader('WWW-Authenticate', 'Bearer realm="keepapart"');
  return new KeepapartError('unauthorized', detail);
}

/** How many requests without a valid key an address may make per second; further ones also close its connection. */
const STRANGERS_PER_SECOND = 100;

/**
 * Lets only holders of one of the keys through, as `Authorization: Bearer <key>` or `X-Api-Key: <key>`; everybody
 * when there are no keys. Throws `unauthorized`; `rate-limited` for too many of these from one address, which never
 * affects a key in force; and at once `invalid-config` when a digest isn't a SHA-256.
 */
function requireApiKey(apiKeys: readonly ApiKey[]): Step {
  const known = apiKeys.map(({ name, sha256, rights }) => ({
    caller: { keyName: name, rights },
    digest: digestOf(name, sha256),
  }));
  const take = buckets(STRANGERS_PER_SECOND);
  return (req, res) => {
    if (known.length === 0) {
      callers.set(res, ANYBODY);
      return;
    }
    const key = presentedKey(req);
    const presented = createHash('sha256').update(key).digest();
    // Every entry is compared, and by digests: the time taken reveals nothing about any key.
    const [holder] = known.filter(({ digest }) => timingSafeEqual(digest, presented) && key !== '');
    if (!holder) {
      const retryAfterMs = take(req.socket.remoteAddress ?? '');
      if (retryAfterMs === undefined)
        throw unauthorized(res, 'Send a key that is in force as "Authorization: Bearer <key>"');
      strangers.add(res);
      res.setHeader('Connection', 'close');
      throw new KeepapartError(
        'rate-limited',
        `At most ${STRANGERS_PER_SECOND} requests a second without a key that is in force; nothing was done`,
        { retryAfterMs },
      );
    }
    callers.set(res, holder.caller);
  };
}

/**
 * Lets only callers with this right through. Throws `forbidden`; a TypeError if the caller was never identified, which
 * is a bug.
 */
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

/** Empty if there is none, which matches no configured digest. */
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
