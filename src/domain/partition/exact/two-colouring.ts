import { countOf, type Classes } from '../graph/classes';
import { listOf } from '../graph/lists';

const NONE = -1;

/**
 * Gives each class one of two sides, 0 and 1, so that within a component nothing on one side conflicts; undefined where
 * that can't be, or where records stand alone. Near O(constraints): in a slot, classes with the first key are on one side
 * and those with the second on the other, and a third key is one too many (union-find with parities).
 */
export function twoSidesOf(classes: Classes): Uint8Array | undefined {
  const { constraints, slots, slotOf, isAlone } = classes;
  if (isAlone.includes(1)) return undefined;
  const count = countOf(classes);
  const forest = new SidedForest(count);
  const leaders = new Int32Array(slots).fill(NONE);
  const firsts = new Int32Array(slots);
  const others = new Int32Array(slots).fill(NONE);
  for (let index = 0; index < count; index++) {
    for (const constraint of listOf(constraints, index)) {
      const slot = slotOf[constraint] ?? 0;
      const leader = leaders[slot] ?? 0;
      if (leader === NONE) {
        leaders[slot] = index;
        firsts[slot] = constraint;
        continue;
      }
      const apart = constraint !== firsts[slot];
      if (apart && others[slot] === NONE) others[slot] = constraint;
      if (apart && others[slot] !== constraint) return undefined;
      if (!forest.join(leader, index, apart ? 1 : 0)) return undefined;
    }
  }
  return new Uint8Array(count).map((_, index) => forest.find(index).side);
}

/** Disjoint sets whose members know on which of two sides they are, seen from each other. */
class SidedForest {
  private readonly parents: Int32Array;
  /** By member: 1 where it is on the other side than its parent. */
  private readonly turned: Uint8Array;

  constructor(size: number) {
    this.parents = Int32Array.from({ length: size }, (_, member) => member);
    this.turned = new Uint8Array(size);
  }

  find(member: number): { root: number; side: number } {
    const { parents, turned } = this;
    let root = member;
    let side = 0;
    while (parents[root] !== root) {
      const parent = parents[root] ?? 0;
      if (parents[parent] !== parent) {
        // Halves the path: one step turns as the two did.
        turned[root] = (turned[root] ?? 0) ^ (turned[parent] ?? 0);
        parents[root] = parents[parent] ?? 0;
      }
      side ^= turned[root] ?? 0;
      root = parents[root] ?? 0;
    }
    return { root, side };
  }

  /** Whether two members can be on one side (0), or on different ones (1); from then on they are. */
  join(a: number, b: number, apart: number): boolean {
    const [ofA, ofB] = [this.find(a), this.find(b)];
    const turn = ofA.side ^ ofB.side ^ apart;
    if (ofA.root === ofB.root) return turn === 0;
    this.parents[ofB.root] = ofA.root;
    this.turned[ofB.root] = turn;
    return true;
  }
}
