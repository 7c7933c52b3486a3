import { bitsOf } from '../../src/domain/partition/graph/conflict-graph';
import { setBit, type Graph } from './graph';

/** A way to cut the vertices of a graph into batches of at most so many, in which nothing is connected. */
export type Baseline = (graph: Graph, maxBatchSize: number) => number[][];

/**
 * First fit decreasing, as bin packing with conflicts has it (Gendreau, Laporte and Semet 2004): where all items have the
 * same size, what decreases is the number of conflicts.
 */
export const firstFitByDegree: Baseline = (graph, maxBatchSize) => {
  const batches = new Batches(graph, maxBatchSize);
  for (const vertex of graph.byDegree()) batches.put(vertex, batches.firstFor(vertex));
  return batches.members;
};

/**
 * DSATUR (Brélaz, New methods to color the vertices of a graph, 1979) with colours that may be used `maxBatchSize` times:
 * next is always the vertex that most batches refuse for a conflict, of several the one with the most neighbours that
 * are left, and it goes into the first batch that takes it.
 */
export const saturationFirst: Baseline = (graph, maxBatchSize) => {
  const batches = new Batches(graph, maxBatchSize);
  const left = new Set(Array(graph.size).keys());
  const degreeLeft = graph.degrees();
  const saturation = new Int32Array(graph.size);
  const isRefused = Array.from({ length: graph.size }, () => new Set<number>());
  while (left.size > 0) {
    let next = -1;
    for (const vertex of left) {
      const [most, own] = [saturation[next] ?? -1, saturation[vertex] as number];
      const moreNeighbours = (degreeLeft[vertex] as number) > (degreeLeft[next] ?? -1);
      if (own > most || (own === most && moreNeighbours)) next = vertex;
    }
    left.delete(next);
    const batch = batches.firstFor(next);
    batches.put(next, batch);
    for (const neighbour of bitsOf(graph.row(next))) {
      degreeLeft[neighbour] = (degreeLeft[neighbour] as number) - 1;
      saturation[neighbour] = (isRefused[neighbour] as Set<number>).add(batch).size;
    }
  }
  return batches.members;
};

/** Batches that are being filled. */
class Batches {
  readonly members: number[][] = [];
  /** By batch: the vertices that are connected with one in it, as bits. */
  private readonly refused: Int32Array[] = [];

  constructor(
    private readonly graph: Graph,
    private readonly maxBatchSize: number,
  ) {}

  /** The first batch with room and without a neighbour; else a new one. */
  firstFor(vertex: number): number {
    const { members, refused, maxBatchSize } = this;
    for (const [batch, { length }] of members.entries()) {
      const words = refused[batch] as Int32Array;
      if (length < maxBatchSize && ((words[vertex >> 5] as number) & (1 << (vertex & 31))) === 0)
        return batch;
    }
    return members.length;
  }

  put(vertex: number, batch: number): void {
    (this.members[batch] ??= []).push(vertex);
    const words = (this.refused[batch] ??= new Int32Array((this.graph.size + 31) >> 5));
    for (const neighbour of bitsOf(this.graph.row(vertex))) setBit(words, neighbour);
  }
}
