import fc from 'fast-check';
import { createByteBuffer } from '../../src/edge/byte-buffer';

afterEach(() => jest.restoreAllMocks());

test('However bytes are cut, what is kept are these bytes, or nothing beyond the bound.', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.nat(100), (pieces, maxBytes) => {
      const buffer = createByteBuffer(maxBytes);
      for (let round = 0; round < 2; round++) {
        for (const piece of pieces) buffer.add(piece);
        const all = Buffer.concat(pieces);
        expect(buffer.size).toBe(all.length);
        const content = buffer.content();
        if (all.length > maxBytes) expect(content).toBeUndefined();
        else expect(Buffer.from(content ?? [])).toEqual(all);
        buffer.clear();
      }
    }),
  );
});

test('Bytes that come one at a time are copied three times at most, on the whole, and take twice their room.', () => {
  const BYTES = 100_000;
  let copied = 0;
  let taken = 0;
  const set = Uint8Array.prototype.set;
  jest.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (this: Uint8Array, piece, at) {
    copied += piece.length;
    taken = Math.max(taken, this.length);
    set.call(this, piece, at);
  });
  const buffer = createByteBuffer(10 * BYTES);
  const byte = new Uint8Array(1);
  for (let i = 0; i < BYTES; i++) buffer.add(byte);
  expect(copied).toBeLessThanOrEqual(3 * BYTES);
  expect(taken).toBeLessThanOrEqual(2 * BYTES);
});
