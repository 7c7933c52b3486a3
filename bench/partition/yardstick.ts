import { bitsOf } from '../../src/domain/partition/graph/conflict-graph';
import { createRandom, type Random } from '../../test/chaos/random';
import { saturationFirst } from './baselines';
import type { Graph } from './graph';

/** A vertex doesn't return to a batch for up to so many moves, and one more for each vertex that is in conflict. */
const TABU_MOVES = 10;

/** The clock is read once in so many moves. */
const MOVES_PER_LOOK = 100;

/**
 * What the partitioner is measured against: a tabu search with a lot of time. It shares no code with the partitioner,
 * draws lots and reads a clock, none of which the partitioner may do.
 *
 * For a number of batches, all vertices are in some batch, and what is wrong is counted: pairs that conflict within a
 * batch, and vertices beyond `maxBatchSize`. Each move takes a vertex that is in conflict, or in a batch that is too
 * large, to the batch where the least is wrong then (Hertz and de Werra, Using tabu search techniques for graph
 * coloring, 1987, with batches of limited size). When nothing is wrong, it goes on with one batch fewer.
 *
 * @param seconds of CPU time of this process
 * @param bound with so few batches, it stops
 * @returns the best that was found
 */
export function yardstick(
  graph: Graph,
  maxBatchSize: number,
  { seconds, bound, seed = 1 }: { seconds: number; bound: number; seed?: number },
): number[][] {
  const random = createRandom(seed);
  const endsAt = process.cpuUsage().user + seconds * 1e6;
  const neighbours = graph.rows.map((row) => Int32Array.from(bitsOf(row)));
  let best = saturationFirst(graph, maxBatchSize);
  while (best.length > bound) {
    const search = new TabuSearch(neighbours, maxBatchSize, best, random);
    for (let moves = 0; search.wrong > 0; moves++) {
      if (moves % MOVES_PER_LOOK === 0 && process.cpuUsage().user > endsAt) return best;
      search.move();
    }
    best = search.batches();
  }
  return best;
}

class TabuSearch {
  /** Pairs that conflict within a batch, and vertices beyond the size of one. */
  wrong = 0;
  private readonly count: number;
  private readonly batchOf: Int32Array;
  private readonly sizes: Int32Array;
  /** By vertex and batch: how many neighbours of the vertex are in the batch. */
  private readonly inTheWay: Int32Array;
  private readonly tabuUntil: Int32Array;
  private leastWrong: number;
  private moves = 0;

  /** Dissolves the smallest batch. */
  constructor(
    private readonly neighbours: readonly Int32Array[],
    private readonly maxBatchSize: number,
    start: readonly (readonly number[])[],
    private readonly random: Random,
  ) {
    const [smallest = [], ...others] = [...start].sort((a, b) => a.length - b.length);
    this.count = others.length;
    this.batchOf = new Int32Array(neighbours.length).fill(-1);
    this.sizes = new Int32Array(this.count);
    this.inTheWay = new Int32Array(neighbours.length * this.count);
    this.tabuUntil = new Int32Array(neighbours.length * this.count);
    for (const [batch, vertices] of others.entries()) for (const vertex of vertices) this.put(vertex, batch);
    for (const vertex of smallest) {
      let least = 0;
      for (let batch = 1; batch < this.count; batch++)
        if (this.wrongIn(vertex, batch) < this.wrongIn(vertex, least)) least = batch;
      this.wrong += this.wrongIn(vertex, least);
      this.put(vertex, least);
    }
    this.leastWrong = this.wrong;
  }

  batches(): number[][] {
    const batches = Array.from({ length: this.count }, (): number[] => []);
    for (const [vertex, batch] of this.batchOf.entries()) batches[batch]?.push(vertex);
    return batches.filter(({ length }) => length > 0);
  }

  move(): void {
    this.moves++;
    const { count, batchOf, inTheWay, sizes, tabuUntil, moves, maxBatchSize } = this;
    let [vertex, to, least, ties, restless] = [-1, -1, Infinity, 0, 0];
    for (let each = 0; each < batchOf.length; each++) {
      const from = batchOf[each] as number;
      const row = each * count;
      const now = (inTheWay[row + from] as number) + ((sizes[from] as number) > maxBatchSize ? 1 : 0);
      if (now === 0) continue;
      restless++;
      for (let batch = 0; batch < count; batch++) {
        const change =
          (inTheWay[row + batch] as number) + ((sizes[batch] as number) >= maxBatchSize ? 1 : 0) - now;
        if (change > least || batch === from) continue;
        const isBestYet = this.wrong + change < this.leastWrong;
        if ((tabuUntil[row + batch] as number) > moves && !isBestYet) continue;
        ties = change < least ? 1 : ties + 1;
        least = change;
        if (ties > 1 && this.random.next() * ties >= 1) continue;
        [vertex, to] = [each, batch];
      }
    }
    if (vertex === -1) return;
    const from = batchOf[vertex] as number;
    this.put(vertex, to);
    this.wrong += least;
    this.leastWrong = Math.min(this.leastWrong, this.wrong);
    tabuUntil[vertex * count + from] = moves + this.random.integer(0, TABU_MOVES) + restless + 1;
  }

  private wrongIn(vertex: number, batch: number): number {
    const conflicts = this.inTheWay[vertex * this.count + batch] as number;
    return conflicts + ((this.sizes[batch] as number) >= this.maxBatchSize ? 1 : 0);
  }

  private put(vertex: number, batch: number): void {
    const before = this.batchOf[vertex] as number;
    if (before >= 0) this.countIn(vertex, before, -1);
    this.batchOf[vertex] = batch;
    this.countIn(vertex, batch, 1);
  }

  private countIn(vertex: number, batch: number, by: number): void {
    const { inTheWay, count, sizes } = this;
    sizes[batch] = (sizes[batch] as number) + by;
    const neighbours = this.neighbours[vertex] as Int32Array;
    for (let each = 0; each < neighbours.length; each++) {
      const place = (neighbours[each] as number) * count + batch;
      inTheWay[place] = (inTheWay[place] as number) + by;
    }
  }
}
