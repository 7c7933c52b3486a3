import { createHmac, hkdfSync } from 'node:crypto';

/** A key as it is configured. */
export interface RingKey {
  /** Stored in clear with everything that it encrypts. */
  readonly id: string;
  /** 32 bytes in Base64. */
  readonly secret: string;
}

interface DerivableKey {
  readonly id: string;
  /** The bytes of the key. */
  readonly secret: Buffer;
  /** What request ids are hashed with, in hexadecimal digits; derived, so that knowing it decrypts nothing. */
  readonly idKey: string;
}

const ID_KEY_BYTES = 32;

/**
 * The encryption keys of a process: the first encrypts, all decrypt. They may be replaced while it runs, so whoever needs
 * one asks for it each time.
 */
export class KeyRing {
  private keys: ReadonlyMap<string, DerivableKey>;
  private first: DerivableKey;
  private readonly listeners: (() => void)[] = [];

  /** @throws RangeError if there is no key */
  constructor(keys: readonly RingKey[]) {
    [this.keys, this.first] = derivable(keys);
  }

  /** Replaces all keys. */
  replace(keys: readonly RingKey[]): void {
    const before = this.first;
    [this.keys, this.first] = derivable(keys);
    if (!before.secret.equals(this.first.secret)) for (const listener of this.listeners) listener();
  }

  /** Calls `listener` whenever another key encrypts than before. */
  onOtherKey(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** The key that encrypts. */
  get current(): DerivableKey {
    return this.first;
  }

  /** The ids of the keys, that which encrypts first. */
  get ids(): string[] {
    return [...this.keys.keys()];
  }

  find(id: string): DerivableKey | undefined {
    return this.keys.get(id);
  }

  /** What a request id may be stored as in search attributes: hashed with each key. */
  hashesOf(requestId: string): string[] {
    return [...this.keys.values()].map(({ idKey }) => hashOf(idKey, requestId));
  }
}

/** The same as `hashedId` in contracts, faster. */
function hashOf(idKey: string, requestId: string): string {
  return createHmac('sha256', Buffer.from(idKey, 'hex')).update(requestId).digest('hex').slice(0, 32);
}

function derivable(keys: readonly RingKey[]): [ReadonlyMap<string, DerivableKey>, DerivableKey] {
  const all = keys.map(({ id, secret: base64 }) => {
    const secret = Buffer.from(base64, 'base64');
    const derived = hkdfSync('sha256', secret, '', 'keepapart request ids', ID_KEY_BYTES);
    return { id, secret, idKey: Buffer.from(derived).toString('hex') };
  });
  const [first] = all;
  if (first === undefined) throw new RangeError('there is no encryption key');
  return [new Map(all.map((key) => [key.id, key])), first];
}
