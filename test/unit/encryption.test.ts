import { createHmac, randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { hashedId } from '../../src/domain/hashed-ids';
import { EncryptionCodec } from '../../src/temporal/codec/encryption-codec';
import { KeyRing } from '../../src/temporal/codec/key-ring';

const newKey = (id: string) => ({ id, secret: randomBytes(32).toString('base64') });
const [may, november] = [newKey('2026-05'), newKey('2026-11')];

const codecWith = (keys = [november, may], namespace = 'default') =>
  new EncryptionCodec(new KeyRing(keys), namespace);
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = ([payload]: Payload[]): unknown => payload && defaultPayloadConverter.fromPayload(payload);
const textOf = (payload: Payload | undefined) =>
  `${JSON.stringify(Object.keys(payload?.metadata ?? {}))} ${Object.values(payload?.metadata ?? {})
    .map((value) => Buffer.from(value).toString())
    .join()} ${Buffer.from(payload?.data ?? []).toString('latin1')}`;

describe('the encryption codec', () => {
  test('decrypts to the same payload, metadata included, whatever is in it', async () => {
    const codec = codecWith();
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.nat(200_000), async (value, padding) => {
        const payload = payloadOf({ value, padding: 'x'.repeat(padding) });
        const [decrypted] = await codec.decode(await codec.encode([payload]));
        // Comparing element by element takes a second.
        expect(Buffer.from(decrypted?.data ?? []).equals(Buffer.from(payload.data ?? []))).toBe(true);
        expect(Buffer.from(decrypted?.metadata?.['encoding'] ?? []).toString()).toBe('json/plain');
      }),
      { numRuns: 60 },
    );
  });

  test('shows nothing of a payload but which key encrypted it', async () => {
    const [encrypted] = await codecWith().encode([payloadOf({ iban: 'canary', small: true })]);
    expect(textOf(encrypted)).not.toMatch(/canary|iban|json/);
    expect(Buffer.from(encrypted?.metadata?.['encryption-key-id'] ?? []).toString()).toBe('2026-11');
  });

  test('never encrypts the same payload to the same bytes', async () => {
    const codec = codecWith();
    const texts = (await codec.encode(Array.from({ length: 100 }, () => payloadOf(1)))).map(textOf);
    expect(new Set(texts).size).toBe(100);
  });

  test('adds at most 160 bytes, and makes what repeats itself smaller', async () => {
    const longest = newKey('x'.repeat(32));
    const sizeOf = (payload: Payload | undefined) => textOf(payload).length;
    const noise = payloadOf(randomBytes(100_000).toString('base64'));
    const [encrypted] = await codecWith([longest]).encode([noise]);
    expect(sizeOf(encrypted) - (noise.data?.length ?? 0)).toBeLessThan(160);
    const list = payloadOf(Array.from({ length: 1000 }, (_, i) => ({ customer: `customer ${i}` })));
    const [smaller] = await codecWith().encode([list]);
    expect(sizeOf(smaller)).toBeLessThan((list.data?.length ?? 0) / 4);
  });

  test('encrypts with the first key and decrypts with each', async () => {
    const before = await codecWith([may]).encode([payloadOf('before')]);
    const during = await codecWith([may, november]).encode([payloadOf('during')]);
    const after = await codecWith([november, may]).encode([payloadOf('after')]);
    expect(valueOf(await codecWith([november, may]).decode(before))).toBe('before');
    expect(valueOf(await codecWith([may]).decode(during))).toBe('during');
    expect(valueOf(await codecWith([may, november]).decode(after))).toBe('after');
  });

  test('follows a ring whose keys are replaced while it is in use', async () => {
    const ring = new KeyRing([may]);
    const codec = new EncryptionCodec(ring, 'default');
    const before = await codec.encode([payloadOf('before')]);
    ring.replace([november, may]);
    const [after] = await codec.encode([payloadOf('after')]);
    expect(textOf(after)).toContain('2026-11');
    expect(valueOf(await codec.decode(before))).toBe('before');
  });

  test('passes on what was not encrypted, so that a running system can begin to encrypt', async () => {
    const plain = payloadOf({ from: 'before' });
    expect(await codecWith().decode([plain])).toEqual([plain]);
  });

  test.each([
    ['by a key that is not known', codecWith([november]), /2026-11.*doesn't have.*ENCRYPTION_KEYS.*2026-05/],
    ['by another key of the same id', codecWith([newKey('2026-05'), november]), null],
    ['in another namespace', codecWith([may], 'elsewhere'), /another namespace/],
  ])('refuses what was encrypted %s, and names what to do', async (_, codec, message) => {
    const encrypted = await codec.encode([payloadOf('secret')]);
    const refusing = codecWith([may]).decode(encrypted);
    await expect(refusing).rejects.toMatchObject({ name: 'KeepapartError', code: 'encryption-key-missing' });
    await expect(refusing).rejects.toThrow(message ?? /is another one here/);
  });

  test('refuses a payload of which any byte was changed', async () => {
    const codec = codecWith();
    const [encrypted] = await codec.encode([payloadOf('secret')]);
    const data = Buffer.from(encrypted?.data ?? []);
    for (let at = 0; at < data.length; at++) {
      const changed = Buffer.from(data);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(codec.decode([{ ...encrypted, data: changed }])).rejects.toThrow(/payload was changed/);
    }
    await expect(codec.decode([{ ...encrypted, data: data.subarray(0, 20) }])).rejects.toThrow(/changed/);
  });
});

describe('hashed request ids', () => {
  test('hashes in workflow code as node:crypto does', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.stringMatching(/^[!-~]{1,200}$/),
        (key, id) => {
          const known = createHmac('sha256', key).update(id).digest('hex').slice(0, 32);
          expect(hashedId(Buffer.from(key).toString('hex'), id)).toBe(known);
        },
      ),
    );
  });

  test('are found by whoever knows any of the keys, and tell others nothing', () => {
    const ring = new KeyRing([november, may]);
    const stored = hashedId(new KeyRing([may]).current.idKey, 'order:1');
    expect(ring.hashesOf('order:1')).toEqual([hashedId(ring.current.idKey, 'order:1'), stored]);
    expect(new KeyRing([november]).hashesOf('order:1')).not.toContain(stored);
    expect(stored).toMatch(/^[0-9a-f]{32}$/);
  });
});
