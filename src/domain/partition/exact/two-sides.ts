import type { Classes } from '../graph/classes';
import { FREE, type Components } from '../graph/components';
import type { Assignment } from '../graph/cut';
import { lengthOf, listOf } from '../graph/lists';
import { splitBetween } from './split-between';
import { twoSidesOf } from './two-colouring';

/** So many components are turned round, with and without each of the others. */
const MAX_TURNED = 6;

/** Bounds the knapsacks of all these ways together: up to 20 ms, and as many words of memory. */
const MAX_STEPS = 2_000_000;

/**
 * Cuts records whose conflict graph is bipartite (pairs without common values, debits and credits of many accounts) into
 * ⌈records / maxBatchSize⌉ batches where it finds how, else into one more; undefined when the graph isn't bipartite.
 *
 * A component has two sides, on each of which nothing conflicts. Lay one side of each on the left and the other on the
 * right: nothing on the left conflicts, nor on the right. Let B be maxBatchSize, t = ⌈records / B⌉, l and r the records
 * on the left and on the right. Cut x = ⌊l / B⌋ full batches from the left and t − 1 − x from the right. What is left
 * over, l′ = l − xB and r′ = max(0, r − (t − 1 − x)B), is at most B, as l + r ≤ tB: it fits into the one batch that
 * remains, if no component is on both sides there. Which records are left over can be chosen. So t batches do if there
 * are two sets of components, none of them in both, of which the first has l′ records on the left and the other r′ on the
 * right; free records fill the room there is. If not, left and right have batches of their own, which are one more.
 *
 * There always are such sets with B components or more, as each has a record on either side and l′ + r′ ≤ B; with two
 * components of B − 1 records on either side; and with B free records, as then l + r ≤ (t − 1)B, so r′ = 0. With fewer,
 * a knapsack over the components decides, for each of the ways to turn some of them round, as long as the steps suffice.
 */
export function cutTwoSided(
  classes: Classes,
  components: Components,
  maxBatchSize: number,
): Assignment | undefined {
  const sideOf = twoSidesOf(classes);
  if (sideOf === undefined) return undefined;
  const { sizes } = components;
  const order = [...sizes.keys()].sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b);
  const turned = order.slice(1, 1 + MAX_TURNED);
  const layout = new Layout(classes, components, sideOf, order, maxBatchSize);
  // In the order of the Gray code, each way differs from the one before it in one component.
  for (let way = 1; !layout.findTogether() && layout.isGoingOn && way < 1 << turned.length; way++) {
    layout.turn(turned[31 - Math.clz32(way & -way)] ?? 0);
  }
  return layout.assignment();
}

/** Components laid with one side on the left and the other on the right. */
class Layout {
  /** By place in the order: the records of a component on the left and on the right. */
  private readonly laid: [left: number, right: number][];
  private left: number;
  private right: number;
  /** By component: whether what is left over on the left is of it; undefined while it isn't known how that can be. */
  private leftOver: Uint8Array | undefined;
  private readonly steps = { left: MAX_STEPS };
  private readonly batches: number;

  constructor(
    private readonly classes: Classes,
    private readonly components: Components,
    /** By class: 0 on the left, 1 on the right. */
    private readonly sideOf: Uint8Array,
    private readonly order: readonly number[],
    private readonly maxBatchSize: number,
  ) {
    this.batches = Math.ceil(classes.classOf.length / maxBatchSize);
    this.laid = order.map((component) => {
      const counts: [number, number] = [0, 0];
      for (const index of listOf(components.classes, component)) {
        counts[sideOf[index] === 0 ? 0 : 1] += lengthOf(classes.members, index);
      }
      return counts;
    });
    this.left = this.laid.reduce((sum, [left]) => sum + left, 0);
    this.right = this.laid.reduce((sum, [, right]) => sum + right, 0);
  }

  /** Whether there are steps left to try another way. */
  get isGoingOn(): boolean {
    return this.steps.left > this.maxBatchSize;
  }

  turn(component: number): void {
    for (const index of listOf(this.components.classes, component)) {
      this.sideOf[index] = 1 - (this.sideOf[index] ?? 0);
    }
    const counts = this.laid[this.order.indexOf(component)] as [number, number];
    this.left += counts[1] - counts[0];
    this.right += counts[0] - counts[1];
    counts.reverse();
  }

  /** Looks for what can be left over on either side and share a batch, so that no batch more is needed. */
  findTogether(): boolean {
    const { fromLeft, fromRight } = this.full();
    const split = splitBetween(
      this.laid,
      this.left - fromLeft,
      Math.max(0, this.right - fromRight),
      this.steps,
    );
    if (split === undefined) return false;
    this.leftOver = new Uint8Array(this.order.length);
    for (const [place, component] of this.order.entries()) this.leftOver[component] = split[place] ? 1 : 0;
    return true;
  }

  /** How many records of either side go into batches of that side, if one batch takes what is left over. */
  private full(): { fromLeft: number; fromRight: number } {
    const full = Math.floor(this.left / this.maxBatchSize);
    return { fromLeft: full * this.maxBatchSize, fromRight: (this.batches - 1 - full) * this.maxBatchSize };
  }

  assignment(): Assignment {
    const { leftOver, maxBatchSize, classes } = this;
    const count = this.batches + (leftOver ? 0 : 1);
    const { fromLeft, fromRight } = leftOver ? this.full() : { fromLeft: Infinity, fromRight: Infinity };
    const firstOfRight = Math.ceil((leftOver ? fromLeft : this.left) / maxBatchSize);
    const sizes = new Int32Array(count);
    const batchOf = new Int32Array(classes.classOf.length);
    const put = (record: number, batch: number) => {
      batchOf[record] = batch;
      sizes[batch] = (sizes[batch] ?? 0) + 1;
    };
    const [left, right, free] = this.sorted();
    for (const [place, record] of left.entries())
      put(record, place < fromLeft ? Math.floor(place / maxBatchSize) : count - 1);
    for (const [place, record] of right.entries()) {
      put(record, place < fromRight ? firstOfRight + Math.floor(place / maxBatchSize) : count - 1);
    }
    let batch = 0;
    for (const record of free) {
      while (sizes[batch] === maxBatchSize) batch++;
      put(record, batch);
    }
    return { batchOf, count };
  }

  /** The records of the left and of the right, those last that may be left over, and the free ones. */
  private sorted(): [left: number[], right: number[], free: number[]] {
    const [left, lastOfLeft, right, lastOfRight, free]: number[][] = [[], [], [], [], []];
    const { sideOf, leftOver, components } = this;
    for (const [record, index] of this.classes.classOf.entries()) {
      const component = components.ofClass[index] ?? 0;
      const isLast = (leftOver?.[component] === 1) === (sideOf[index] === 0);
      if (component === FREE) free?.push(record);
      else if (sideOf[index] === 0) (isLast ? lastOfLeft : left)?.push(record);
      else (isLast ? lastOfRight : right)?.push(record);
    }
    return [[...(left ?? []), ...(lastOfLeft ?? [])], [...(right ?? []), ...(lastOfRight ?? [])], free ?? []];
  }
}
