import { createHmac } from 'node:crypto';

/** A message to be signed as in Standard Webhooks (https://www.standardwebhooks.com). */
export interface SignedMessage {
  id: string;
  /** When it is sent, in milliseconds since the epoch. */
  atMs: number;
  body: string;
}

/**
 * The headers of a signed message: a `v1` signature (HMAC-SHA256) for each secret, so that a receiver finds its own while
 * secrets are rotated.
 * @param secrets `whsec_` and the key in Base64
 */
export function signedHeaders({ id, atMs, body }: SignedMessage, secrets: readonly string[]) {
  const timestamp = String(Math.floor(atMs / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
