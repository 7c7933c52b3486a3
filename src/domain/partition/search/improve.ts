import type { Classes } from '../graph/classes';
import { hasBit, type ConflictGraph } from '../graph/conflict-graph';
import type { Assignment } from '../graph/cut';

/** A record that had to leave a batch stays away from it for so many moves, and some more for each that has no batch. */
const TABU_MOVES = 10;
const TABU_MOVES_PER_HOMELESS = 0.6;

const HOMELESS = -1;

/**
 * Looks for a partition with fewer batches: dissolves the smallest batch and moves its records into others, out of which
 * those have to go that conflict, or one that takes the room; these are moved likewise, until none is left or the steps
 * are used up. When it succeeds, the next batch is dissolved. This is the search over partial colourings with a tabu
 * list of Blöchliger and Zufferey (A graph coloring heuristic using partial solutions and a reactive tabu scheme, 2008),
 * for colours that may be used `maxBatchSize` times. It draws no lots: among equally good moves it takes the one that has
 * waited longest, then the first. For graphs of which the tables of `tabuSearch` would be too large: it needs memory linear
 * in the records, and more steps for each move.
 *
 * @param enough batches: with so few, it stops
 * @param maxSteps elementary steps as the graph counts them; the search ends with the move that exceeds it
 * @returns a partition with fewer batches than the given one, or that itself
 */
export function improve(
  start: Assignment,
  classes: Classes,
  graph: ConflictGraph,
  { maxBatchSize, enough, maxSteps }: { maxBatchSize: number; enough: number; maxSteps: number },
): Assignment {
  let best = start;
  const end = graph.steps + maxSteps;
  while (best.count > enough && graph.steps < end) {
    // As many it takes to set up.
    graph.steps += classes.classOf.length + best.count;
    const search = new PartialPartition(best, classes, graph, maxBatchSize);
    while (search.homeless.length > 0 && graph.steps < end) search.move();
    if (search.homeless.length > 0) break;
    best = search.assignment();
  }
  return best;
}

/** A partition in which some records have no batch. */
class PartialPartition {
  /** Those that have waited longest come first. */
  readonly homeless: number[] = [];
  private readonly batches: number[][];
  private readonly batchOf: Int32Array;
  private readonly lastMoved: Int32Array;
  /** By record and batch: the move until which the record must not return. */
  private readonly tabuUntil = new Map<number, number>();
  private readonly conflictsIn: Int32Array;
  /** By class, as bits: whether it conflicts with the record that is moved. */
  private readonly conflicts: Int32Array;
  private moves = 0;

  /** Dissolves the smallest batch of a partition. */
  constructor(
    { batchOf, count }: Assignment,
    private readonly classes: Classes,
    private readonly graph: ConflictGraph,
    private readonly maxBatchSize: number,
  ) {
    const batches = Array.from({ length: count }, (): number[] => []);
    for (const [record, batch] of batchOf.entries()) batches[batch]?.push(record);
    const smallest = batches.reduce(
      (least, { length }, batch) => (length <= (batches[least]?.length ?? 0) ? batch : least),
      0,
    );
    for (const record of batches.splice(smallest, 1).flat()) this.homeless.push(record);
    this.batches = batches;
    this.batchOf = new Int32Array(batchOf.length).fill(HOMELESS);
    for (const [batch, records] of batches.entries())
      for (const record of records) this.batchOf[record] = batch;
    this.lastMoved = new Int32Array(batchOf.length);
    this.conflictsIn = new Int32Array(batches.length);
    this.conflicts = new Int32Array(graph.words);
  }

  assignment(): Assignment {
    return { batchOf: this.batchOf, count: this.batches.length };
  }

  /** Gives the record that has waited longest a batch, and takes it from those that are in its way there. */
  move(): void {
    const record = this.homeless.shift() ?? 0;
    this.moves++;
    this.graph.conflictsOf(this.classes.classOf[record] ?? 0, this.conflicts);
    const batch = this.bestBatchFor(record);
    const staying: number[] = [];
    const leaving: number[] = [];
    this.graph.steps += 2 * (this.batches[batch]?.length ?? 0);
    for (const other of this.batches[batch] ?? []) {
      (hasBit(this.conflicts, this.classes.classOf[other] ?? 0) ? leaving : staying).push(other);
    }
    if (staying.length >= this.maxBatchSize) {
      const restless = staying.reduce(
        (least, each, at) => (this.hasMovedBefore(each, staying[least] ?? 0) ? at : least),
        0,
      );
      leaving.push(...staying.splice(restless, 1));
    }
    staying.push(record);
    this.batches[batch] = staying;
    this.batchOf[record] = batch;
    this.lastMoved[record] = this.moves;
    for (const other of leaving) {
      this.batchOf[other] = HOMELESS;
      this.homeless.push(other);
      this.lastMoved[other] = this.moves;
      const wait = TABU_MOVES + Math.floor(TABU_MOVES_PER_HOMELESS * this.homeless.length);
      this.tabuUntil.set(this.idOf(other, batch), this.moves + wait);
    }
  }

  /** The batch out of which the fewest records would have to go. */
  private bestBatchFor(record: number): number {
    const { conflictsIn, batches } = this;
    conflictsIn.fill(0);
    for (let word = 0; word < this.conflicts.length; word++) {
      for (let bits = this.conflicts[word] ?? 0; bits !== 0; bits &= bits - 1) {
        this.countConflictsWith((word << 5) + 31 - Math.clz32(bits & -bits));
      }
    }
    this.graph.steps += batches.length;
    let best = HOMELESS;
    let leastLeaving = Infinity;
    let longestAgo = 0;
    for (const [batch, { length }] of batches.entries()) {
      const conflicting = conflictsIn[batch] ?? 0;
      const leaving = conflicting + (length - conflicting >= this.maxBatchSize ? 1 : 0);
      if (leaving > leastLeaving) continue;
      const tabuUntil = this.tabuUntil.get(this.idOf(record, batch)) ?? 0;
      if (leaving > 0 && tabuUntil > this.moves) continue;
      if (leaving === leastLeaving && tabuUntil >= longestAgo) continue;
      best = batch;
      leastLeaving = leaving;
      longestAgo = tabuUntil;
    }
    return best === HOMELESS ? this.moves % batches.length : best;
  }

  private countConflictsWith(recordClass: number): void {
    const { starts, items } = this.classes.members;
    const end = starts[recordClass + 1] ?? 0;
    for (let place = starts[recordClass] ?? 0; place < end; place++) {
      const batch = this.batchOf[items[place] ?? 0] ?? 0;
      if (batch !== HOMELESS) this.conflictsIn[batch] = (this.conflictsIn[batch] ?? 0) + 1;
    }
    this.graph.steps += end - (starts[recordClass] ?? 0);
  }

  private hasMovedBefore(a: number, b: number): boolean {
    return (this.lastMoved[a] ?? 0) < (this.lastMoved[b] ?? 0);
  }

  private idOf(record: number, batch: number): number {
    return record * this.batches.length + batch;
  }
}
