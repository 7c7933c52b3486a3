import { Router, type Express, type RequestHandler } from 'express';
import { z } from 'zod';
import type { PayloadCoder } from '../../contracts/payload-coder';
import { MIB } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import { describeReceived } from '../../domain/field-problems';
import { validate } from '../../edge/problems';
import { jsonBodyReader } from '../body/json-body';
import type { HttpDeps } from '../deps';
import { keyNameOf, requireCaller } from '../guards/auth';
import { rateLimit } from '../guards/rate-limit';
import { loggedRequest } from '../request-log';
import { inOrder } from '../steps';
import { createRoutes } from './routing';

const PREFIX = '/codec';
/** A payload of 2 MiB, the largest that Temporal takes, in Base64, with room. */
const MAX_BODY_BYTES = 4 * MIB;
const MAX_PAYLOADS = 10_000;
/** What Temporal's Web UI sends. */
const ALLOWED_HEADERS = 'content-type, x-namespace, authorization, authorization-extras, x-api-key';
/** How long a browser needs not ask again, in seconds. */
const MAX_AGE = 600;

const base64 = z.base64({ error: 'Base64' });
const bodySchema = z.strictObject(
  {
    payloads: z
      .array(z.object({ metadata: z.record(z.string(), base64).optional(), data: base64.optional() }), {
        error: 'an array of payloads',
      })
      .max(MAX_PAYLOADS, { error: `at most ${MAX_PAYLOADS} payloads` }),
  },
  { error: 'an object' },
);

/**
 * `POST /codec/decode` and `/codec/encode`, the protocol of Temporal's remote codecs (`--codec-endpoint` of its command line,
 * and a setting of its Web UI). No part of our API, so not in its description.
 *
 * Pages of exactly the given origins may call them from a browser; pages of other origins are refused here, whatever their
 * browser would do. What can't be decrypted is answered with 503 `encryption-key-missing`. Each call leaves a line in the
 * log that says who, and how many payloads, never what is in them.
 */
export function serveCodec(
  app: Express,
  deps: HttpDeps,
  { origins, coder }: NonNullable<HttpDeps['codec']>,
): void {
  const { router, serve } = createRoutes(Router(), PREFIX);
  router.use(allowOrigins(origins));
  router.use(inOrder(requireCaller(deps), ...rateLimit(deps.rateLimitPerSecond ?? 0)));
  const readBody = jsonBodyReader({ maxBytes: MAX_BODY_BYTES, maxDepth: 5 });
  const handler =
    (did: 'decode' | 'encode'): RequestHandler =>
    async (req, res) => {
      requireNamespace(req.headers['x-namespace'], coder);
      const { payloads } = validate(
        bodySchema,
        await readBody(req),
        'The body is not valid; nothing was done',
      );
      const line = { codec: did, payloads: payloads.length, key: keyNameOf(res), req: loggedRequest(req) };
      // Before it is done, so that nothing is decrypted without a line.
      deps.logger.info(line, `payloads are ${did}d for a caller`);
      res.json({ payloads: await coder[did](payloads) });
    };
  for (const did of ['decode', 'encode'] as const)
    serve(`/${did}`, { post: { right: 'read', handle: handler(did), describe: 'page' } });
  app.use(PREFIX, router);
}

/** Lets pages of these origins call, and asks for it beforehand; those of other origins are refused. */
function allowOrigins(origins: readonly string[]): RequestHandler {
  return (req, res, next) => {
    res.vary('Origin');
    const { origin } = req.headers;
    if (origin === undefined) {
      next();
      return;
    }
    if (!origins.includes(origin))
      throw new KeepapartError('cross-origin', `CODEC_ORIGINS doesn't have ${describeReceived(origin)}`);
    res.set('Access-Control-Allow-Origin', origin);
    if (req.method !== 'OPTIONS') {
      next();
      return;
    }
    res.set({
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': ALLOWED_HEADERS,
      'Access-Control-Max-Age': String(MAX_AGE),
    });
    res.status(204).end();
  };
}

/** A payload of another namespace couldn't be decrypted, and whoever encodes for another would never know. */
function requireNamespace(asked: string | string[] | undefined, { namespace }: PayloadCoder): void {
  if (asked === undefined || asked === '' || asked === namespace) return;
  const problem = { field: 'X-Namespace', expected: namespace, received: describeReceived(asked) };
  throw new KeepapartError('invalid-request', 'These routes serve one namespace; nothing was done', {
    problems: [problem],
  });
}
