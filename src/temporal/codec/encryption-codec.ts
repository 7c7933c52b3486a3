import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { LRUCache } from 'lru-cache';
import { KIB, MIB } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import type { KeyRing } from './key-ring';

const { Payload: ProtoPayload } = temporal.api.common.v1;

/*
 * An encrypted payload:
 *
 *   metadata  encoding           `binary/encrypted`, as in Temporal's own examples
 *             encryption-key-id  which key of the ring
 *   data      salt (16) | nonce (12) | ciphertext | tag (16)
 *
 * The plaintext is one byte, how the rest is compressed, and the original payload in protobuf, metadata included. What is
 * authenticated with it: the namespace, so that a payload that somebody copies into another namespace isn't decrypted.
 *
 * Random nonces are safe for 2^32 payloads of one AES key (NIST SP 800-38D, 8.3), which a busy installation has after a
 * month. So each process derives a key of its own from the configured one and a random salt, and takes a new salt long
 * before.
 */
export const ENCRYPTED = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A shorter tag, which Node would take otherwise, authenticates less. */
const TAG = { authTagLength: TAG_BYTES };
const PAYLOADS_PER_SALT = 2 ** 30;

const PLAIN = 0;
const DEFLATED = 1;
/** A smaller payload gains less than its compression costs. */
const WORTH_COMPRESSING = 512;
/** A larger one is compressed in a thread, as the process would answer nobody for milliseconds. */
const LARGE = 64 * KIB;
/** Level 1: of JSON nearly as small as higher levels, at a third of the time. */
const FAST = { level: 1 };
/** Far above the 2 MiB that Temporal accepts, and what a process can bear. */
const MAX_INFLATED = { maxOutputLength: 64 * MIB };

/** Of each salt there is one key; other processes have others. */
const CACHED_KEYS = 1000;

const [deflateInThread, inflateInThread] = [
  promisify<Uint8Array, typeof FAST, Buffer>(deflateRaw),
  promisify<Uint8Array, typeof MAX_INFLATED, Buffer>(inflateRaw),
];

/**
 * Encrypts everything that goes to Temporal. Payloads that it didn't encrypt are passed through, so it can be turned on for
 * a system that runs. The SDK calls it outside of the workflow sandbox.
 */
export class EncryptionCodec implements PayloadCodec {
  private readonly derived = new LRUCache<string, Buffer>({ max: CACHED_KEYS });
  private readonly associated: Buffer;
  private encrypting: { secret: Buffer; salt: Buffer; key: Buffer; left: number } | undefined;

  constructor(
    readonly keys: KeyRing,
    namespace: string,
  ) {
    this.associated = Buffer.from(`keepapart payload\0${namespace}`);
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(payloads.map((payload) => this.encrypt(payload)));
  }

  /**
   * @throws KeepapartError `encryption-key-missing` for a key that this process doesn't have, and for a payload of another
   *   namespace or that was changed; Temporal repeats what failed by it
   */
  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.all(payloads.map((payload) => this.decrypt(payload)));
  }

  private async encrypt(payload: Payload): Promise<Payload> {
    const { id, secret } = this.keys.current;
    const { salt, key } = this.keyToEncrypt(secret);
    const [compression, content] = await compressed(ProtoPayload.encode(payload).finish());
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, TAG);
    cipher.setAAD(this.associated);
    const start = cipher.update(Uint8Array.of(compression));
    const data = [salt, nonce, start, cipher.update(content), cipher.final(), cipher.getAuthTag()];
    return {
      metadata: { encoding: Buffer.from(ENCRYPTED), [KEY_ID]: Buffer.from(id) },
      data: Buffer.concat(data),
    };
  }

  private async decrypt(payload: Payload): Promise<Payload> {
    const { metadata, data } = payload;
    const encoding = metadata?.['encoding'];
    if (encoding === undefined || Buffer.from(encoding).toString() !== ENCRYPTED) return payload;
    const id = Buffer.from(metadata?.[KEY_ID] ?? []).toString();
    const known = this.keys.find(id);
    if (known === undefined) throw new EncryptionKeyMissing(missingKey(id, this.keys.ids));
    const plaintext = this.opened(id, known.secret, Buffer.from(data ?? []));
    return ProtoPayload.decode(await inflated(plaintext));
  }

  private opened(id: string, secret: Buffer, data: Buffer): Buffer {
    const salt = data.subarray(0, SALT_BYTES);
    const nonce = data.subarray(SALT_BYTES, SALT_BYTES + NONCE_BYTES);
    const ciphertext = data.subarray(SALT_BYTES + NONCE_BYTES, -TAG_BYTES);
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.keyOf(secret, salt), nonce, TAG);
      decipher.setAAD(this.associated);
      decipher.setAuthTag(data.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
    } catch {
      throw new EncryptionKeyMissing(
        `A payload that names the encryption key ${id} can't be decrypted with it: the key is another one here, or the ` +
          'payload was changed, or belongs to another namespace',
      );
    }
  }

  private keyToEncrypt(secret: Buffer): { salt: Buffer; key: Buffer } {
    const { encrypting } = this;
    if (encrypting !== undefined && encrypting.left > 0 && encrypting.secret === secret) {
      encrypting.left--;
      return encrypting;
    }
    const salt = randomBytes(SALT_BYTES);
    this.encrypting = { secret, salt, key: this.keyOf(secret, salt), left: PAYLOADS_PER_SALT };
    return this.encrypting;
  }

  private keyOf(secret: Buffer, salt: Buffer): Buffer {
    // The secret belongs to the name: a ring may get another secret under the same id.
    const name = Buffer.concat([salt, secret]).toString('latin1');
    const known = this.derived.get(name);
    if (known !== undefined) return known;
    const key = Buffer.from(hkdfSync('sha256', secret, salt, 'keepapart payloads', 32));
    this.derived.set(name, key);
    return key;
  }
}

/** What Temporal names the type of a failure by, where an activity's input can't be decrypted. */
class EncryptionKeyMissing extends KeepapartError {
  constructor(detail: string) {
    super('encryption-key-missing', detail);
  }
}

function missingKey(id: string, known: readonly string[]): string {
  return (
    `A payload was encrypted with the key ${JSON.stringify(id.slice(0, 64))}, which this process doesn't have: add it to ` +
    `ENCRYPTION_KEYS, which has ${known.join(', ')}. What failed is repeated until then.`
  );
}

async function compressed(bytes: Uint8Array): Promise<[compression: number, content: Uint8Array]> {
  if (bytes.length < WORTH_COMPRESSING) return [PLAIN, bytes];
  const smaller = bytes.length < LARGE ? deflateRawSync(bytes, FAST) : await deflateInThread(bytes, FAST);
  return smaller.length < bytes.length * 0.9 ? [DEFLATED, smaller] : [PLAIN, bytes];
}

async function inflated(plaintext: Buffer): Promise<Uint8Array> {
  const content = plaintext.subarray(1);
  if (plaintext[0] !== DEFLATED) return content;
  // The content is authenticated, so it is one of ours.
  return content.length < LARGE / 8
    ? inflateRawSync(content, MAX_INFLATED)
    : inflateInThread(content, MAX_INFLATED);
}
