import type { Kernel } from './kernel';

/** Tables of conflicts have at most so many cells: 8 MB each. */
const MAX_CELLS = 2_000_000;

/** A record that had to leave a batch stays away from it for up to so many moves, and some more for each without one. */
const TABU_MOVES = 3;
const TABU_MOVES_PER_HOMELESS = 0.3;

/**
 * Looks for a partition with fewer batches: dissolves the smallest batch and moves its records into others, out of which
 * those have to go that conflict, or one that takes the room; these are moved likewise, until none is left or the steps
 * are used up. When it succeeds, the next batch is dissolved.
 *
 * This is tabu colouring (Hertz and de Werra, Using tabu search techniques for graph coloring, 1987) over partial
 * colourings (Blöchliger and Zufferey, A graph coloring heuristic using partial solutions and a reactive tabu scheme,
 * 2008), for colours that may be used `maxBatchSize` times. How many records of each batch conflict with each class is
 * kept up to date, so that a move looks at every record without a batch and every batch. Ties are broken by numbers from
 * a fixed seed: the same records give the same batches.
 *
 * @param batches lists of classes, one entry for each record
 * @param enough batches: with so few, it stops
 * @param maxSteps elementary steps, of which 100,000 to 300,000 take a millisecond; it ends with the move that exceeds them
 * @returns the best that was found, and the steps taken
 */
export function tabuSearch(
  batches: readonly (readonly number[])[],
  kernel: Kernel,
  { maxBatchSize, enough, maxSteps }: { maxBatchSize: number; enough: number; maxSteps: number },
): { batches: readonly (readonly number[])[]; steps: number } {
  let best = batches;
  let steps = 0;
  while (best.length > enough && best.length > 1 && steps < maxSteps) {
    // It takes as many steps to set up.
    const cells = kernel.count * best.length;
    if (cells > MAX_CELLS || steps + cells > maxSteps) break;
    const search = new TabuSearch(best, kernel, maxBatchSize, steps + cells);
    while (search.homeless > 0 && search.steps < maxSteps) search.move();
    steps = search.steps;
    if (search.homeless > 0) break;
    best = search.batches();
  }
  return { batches: best, steps };
}

class TabuSearch {
  /** How many records have no batch. */
  homeless = 0;
  /** By class: records without a batch; and the classes that have any. */
  private readonly homelessOf: Int32Array;
  private readonly homelessClasses: number[] = [];
  private readonly count: number;
  /** By batch: its classes, one entry for each record. */
  private readonly members: number[][];
  /** By class and batch: how many records of the batch conflict with the class. */
  private readonly inTheWay: Int32Array;
  private readonly tabuUntil: Int32Array;
  private readonly neighbours: { starts: Int32Array; items: Int32Array };
  private moves = 0;
  private random = 0x2545f491;

  /** Dissolves the smallest batch. */
  constructor(
    start: readonly (readonly number[])[],
    private readonly kernel: Kernel,
    private readonly maxBatchSize: number,
    public steps: number,
  ) {
    const smallest = start.reduce(
      (least, { length }, batch) => (length <= (start[least]?.length ?? 0) ? batch : least),
      0,
    );
    this.neighbours = kernel.lists();
    this.homelessOf = new Int32Array(kernel.count);
    for (const each of start[smallest] ?? []) this.makeHomeless(each);
    this.members = start.filter((_, batch) => batch !== smallest).map((batch) => [...batch]);
    this.count = this.members.length;
    this.inTheWay = new Int32Array(kernel.count * this.count);
    this.tabuUntil = new Int32Array(kernel.count * this.count);
    for (const [batch, classes] of this.members.entries())
      for (const each of classes) this.countIn(each, batch, 1);
  }

  batches(): number[][] {
    return this.members.filter(({ length }) => length > 0);
  }

  /** Gives a record the batch that the fewest have to leave for it. */
  move(): void {
    this.moves++;
    const [recordClass, batch] = this.best();
    const members = this.members[batch] as number[];
    this.steps += members.length;
    if ((this.inTheWay[recordClass * this.count + batch] as number) > 0) {
      let staying = 0;
      for (const each of members) {
        if (this.kernel.conflict(recordClass, each)) this.leave(each, batch);
        else members[staying++] = each;
      }
      members.length = staying;
    }
    if (members.length >= this.maxBatchSize) {
      const place = this.below(members.length);
      const last = members.pop() as number;
      const leaving = place === members.length ? last : (members[place] as number);
      if (place < members.length) members[place] = last;
      this.leave(leaving, batch);
    }
    members.push(recordClass);
    this.countIn(recordClass, batch, 1);
    this.homeless--;
    this.homelessOf[recordClass] = (this.homelessOf[recordClass] as number) - 1;
    if (this.homelessOf[recordClass] === 0)
      this.homelessClasses.splice(this.homelessClasses.indexOf(recordClass), 1);
  }

  private best(): [recordClass: number, batch: number] {
    const { count, members, inTheWay, tabuUntil, moves, maxBatchSize, homelessClasses } = this;
    let found = -1;
    let batchFound = -1;
    let fewest = Infinity;
    let ties = 0;
    for (const recordClass of homelessClasses) {
      const row = recordClass * count;
      for (let batch = 0; batch < count; batch++) {
        let leaving = inTheWay[row + batch] as number;
        if (leaving > fewest) continue;
        if ((members[batch] as number[]).length - leaving >= maxBatchSize) leaving++;
        if (leaving > fewest || (leaving > 0 && (tabuUntil[row + batch] as number) > moves)) continue;
        if (leaving < fewest) {
          fewest = leaving;
          ties = 0;
        }
        ties++;
        if (ties > 1 && this.below(ties) > 0) continue;
        found = recordClass;
        batchFound = batch;
      }
    }
    this.steps += homelessClasses.length * count;
    if (found >= 0) return [found, batchFound];
    return [homelessClasses[this.below(homelessClasses.length)] as number, this.below(count)];
  }

  private leave(recordClass: number, batch: number): void {
    this.countIn(recordClass, batch, -1);
    this.makeHomeless(recordClass);
    const wait = this.below(TABU_MOVES) + Math.floor(TABU_MOVES_PER_HOMELESS * this.homeless);
    this.tabuUntil[recordClass * this.count + batch] = this.moves + wait + 1;
  }

  private makeHomeless(recordClass: number): void {
    this.homeless++;
    this.homelessOf[recordClass] = (this.homelessOf[recordClass] as number) + 1;
    if (this.homelessOf[recordClass] === 1) this.homelessClasses.push(recordClass);
  }

  private countIn(recordClass: number, batch: number, by: number): void {
    const { inTheWay, count, neighbours } = this;
    const { starts, items } = neighbours;
    const end = starts[recordClass + 1] as number;
    for (let place = starts[recordClass] as number; place < end; place++) {
      const cell = (items[place] as number) * count + batch;
      inTheWay[cell] = (inTheWay[cell] as number) + by;
    }
    this.steps += end - (starts[recordClass] as number);
  }

  /** A whole number from 0 to before `end`, by Marsaglia's xorshift. */
  private below(end: number): number {
    this.random ^= this.random << 13;
    this.random ^= this.random >>> 17;
    this.random ^= this.random << 5;
    return (this.random >>> 0) % end;
  }
}
