import fc from 'fast-check';
import { MinHeap } from '../../../src/domain/partition/exact/heap';

describe('MinHeap', () => {
  test('gives back the least of what is in it, whatever the order of pushes and pops', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer(), { nil: undefined })), (steps) => {
        const heap = new MinHeap();
        const model: number[] = [];
        for (const pushed of steps) {
          if (pushed === undefined) expect(heap.pop()).toBe(model.shift() ?? Infinity);
          else {
            heap.push(pushed);
            model.push(pushed);
            model.sort((a, b) => a - b);
          }
          expect(heap.peek()).toBe(model[0] ?? Infinity);
          expect(heap.size).toBe(model.length);
        }
      }),
    );
  });

  test('sorts', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = new MinHeap();
        for (const number of numbers) heap.push(number);
        expect(numbers.map(() => heap.pop())).toEqual(numbers.toSorted((a, b) => a - b));
      }),
    );
  });
});
