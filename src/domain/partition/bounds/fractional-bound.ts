import { heaviestBatch } from './heaviest-batch';
import type { Kernel } from '../graph/kernel';

/** Tables of more rows aren't set up: each exchange of a column costs a square of them. */
export const MAX_CLASSES = 160;

/** What a weight of 1 is in whole numbers. */
const SCALE = 1_000_000;

/** How much of the weights comes from the best ones so far (Wentges, 1997), which otherwise swing from one end to another. */
const SMOOTHING = 0.7;

/** What floats are taken for 0. */
const TINY = 1e-9;

/**
 * The fractional bound: give records weights so that no batch can hold more than 1 in all; then as many batches are needed
 * as the weights sum up to. The best weights are the dual solution of the linear program that covers all records by parts
 * of possible batches. That one is solved by the simplex method, and each time the batch that improves it the most is
 * found by branch and bound. This is the bound of Muritiba, Iori, Malaguti and Toth (2010) for bin packing with conflicts.
 *
 * Weights come from floats and are rounded to whole numbers; what the heaviest batch weighs is then exact, so that the
 * bound holds whatever was lost in rounding, on every machine.
 *
 * @param enough with so many batches proved, it stops
 * @param maxSteps elementary steps with which it stops; what it has proved by then is a bound as well
 * @returns 0 where there are too many classes
 */
export function fractionalBound(
  kernel: Kernel,
  { maxBatchSize, enough, maxSteps }: { maxBatchSize: number; enough: number; maxSteps: number },
): { bound: number; steps: number } {
  const { count, sizes } = kernel;
  if (count === 0 || count > MAX_CLASSES) return { bound: 0, steps: 0 };
  const table = new Table(kernel, maxBatchSize);
  const known: (readonly number[])[] = [];
  let bound = 0;
  let centre: Float64Array | undefined;
  let best = 0;
  let smoothing = SMOOTHING;
  while (table.steps < maxSteps) {
    const weights = table.weights(centre, smoothing);
    const heaviest = heaviestBatch(kernel, weights, maxBatchSize, maxSteps - table.steps);
    table.steps += heaviest.steps;
    if (heaviest.weight === undefined || heaviest.weight === 0) break;
    let total = 0;
    for (let each = 0; each < count; each++) total += (weights[each] ?? 0) * (sizes[each] ?? 0);
    bound = Math.max(bound, Math.ceil(total / heaviest.weight));
    // What is beyond the rounding of this many weights can still improve it.
    if (bound >= enough || (smoothing === 0 && heaviest.weight <= SCALE + count)) break;
    const scaled = Float64Array.from(weights, (weight) => weight / (heaviest.weight ?? 1));
    const isBetter = total / heaviest.weight > best + TINY;
    if (isBetter) {
      best = total / heaviest.weight;
      centre = scaled;
    }
    known.push(heaviest.set);
    if (table.exchange(heaviest.set)) {
      smoothing = SMOOTHING;
      // Batches that left the basis, or never came into it, may improve it now; finding them anew costs far more.
      while (table.steps < maxSteps && table.exchange(table.heaviestOf(known)));
    } else if (smoothing === 0) break;
    else if (!isBetter) smoothing = smoothing > 0.2 ? smoothing / 2 : 0;
  }
  return { bound, steps: table.steps };
}

/** The simplex method for the fewest batches, in parts, that hold every record: one row for each class. */
class Table {
  steps = 0;
  /** The inverse of the basis, row by row. */
  private readonly inverse: Float64Array;
  /** By row: how much there is of the row's column. */
  private readonly amounts: Float64Array;
  /** By class: its dual value. */
  private readonly duals: Float64Array;
  private readonly count: number;

  /** Begins with batches of one class each. */
  constructor(kernel: Kernel, maxBatchSize: number) {
    const { count } = kernel;
    this.count = count;
    this.inverse = new Float64Array(count * count);
    this.amounts = new Float64Array(count);
    this.duals = new Float64Array(count);
    for (let each = 0; each < count; each++) {
      const records = kernel.sizes[each] ?? 0;
      const taken = kernel.alone[each] ? 1 : Math.min(records, maxBatchSize);
      this.inverse[each * count + each] = 1 / taken;
      this.amounts[each] = records / taken;
      this.duals[each] = 1 / taken;
    }
    this.steps = count * count;
  }

  /** The dual values, between what they are now and a centre, in whole numbers. */
  weights(centre: Float64Array | undefined, smoothing: number): Int32Array {
    return Int32Array.from(this.duals, (dual, each) => {
      const weight = centre === undefined ? dual : smoothing * (centre[each] ?? 0) + (1 - smoothing) * dual;
      return Math.max(0, Math.round(weight * SCALE));
    });
  }

  /** Of some sets, the one with the highest dual value. */
  heaviestOf(sets: readonly (readonly number[])[]): readonly number[] {
    let heaviest: readonly number[] = [];
    let most = 0;
    for (const set of sets) {
      let value = 0;
      for (const each of set) value += this.duals[each] ?? 0;
      this.steps += set.length;
      if (value > most) [heaviest, most] = [set, value];
    }
    return heaviest;
  }

  /** Takes a batch into the basis. @returns whether that was possible */
  exchange(set: readonly number[]): boolean {
    const { count, inverse, amounts, duals } = this;
    const change = new Float64Array(count);
    let gain = 1;
    for (const recordClass of set) {
      gain -= duals[recordClass] ?? 0;
      for (let row = 0; row < count; row++)
        change[row] = (change[row] ?? 0) + (inverse[row * count + recordClass] ?? 0);
    }
    // Sixteen cells of a row, one after the other, take the time of one elsewhere.
    this.steps += count * set.length + ((count * count) >> 4);
    if (gain > -TINY) return false;
    let leaving = -1;
    let least = Infinity;
    for (let row = 0; row < count; row++) {
      if ((change[row] ?? 0) <= TINY) continue;
      const ratio = (amounts[row] ?? 0) / (change[row] ?? 0);
      if (ratio >= least) continue;
      least = ratio;
      leaving = row;
    }
    if (leaving === -1) return false;
    const pivot = change[leaving] ?? 0;
    const pivotRow = inverse.subarray(leaving * count, (leaving + 1) * count);
    for (let column = 0; column < count; column++) {
      pivotRow[column] = (pivotRow[column] ?? 0) / pivot;
      duals[column] = (duals[column] ?? 0) + gain * (pivotRow[column] ?? 0);
    }
    for (let row = 0; row < count; row++) {
      const factor = change[row] ?? 0;
      if (row === leaving || factor === 0) continue;
      amounts[row] = Math.max(0, (amounts[row] ?? 0) - factor * least);
      const start = row * count;
      for (let column = 0; column < count; column++)
        inverse[start + column] = (inverse[start + column] ?? 0) - factor * (pivotRow[column] ?? 0);
    }
    amounts[leaving] = least;
    return true;
  }
}
