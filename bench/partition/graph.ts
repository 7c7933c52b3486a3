import { hasBit } from '../../src/domain/partition/graph/conflict-graph';

/** An undirected graph without loops: which vertices, 0, 1, 2 …, conflict. */
export class Graph {
  /** By vertex: its neighbours, as bits. */
  readonly rows: readonly Int32Array[];

  constructor(readonly size: number) {
    this.rows = Array.from({ length: size }, () => new Int32Array((size + 31) >> 5));
  }

  connect(a: number, b: number): void {
    if (a === b) return;
    setBit(this.row(a), b);
    setBit(this.row(b), a);
  }

  /** Connects a vertex with all that bits stand for, but not with itself; one way only. */
  pointTo(vertex: number, others: Int32Array): void {
    const row = this.row(vertex);
    for (let word = 0; word < row.length; word++)
      row[word] = (row[word] as number) | (others[word] as number);
    row[vertex >> 5] = (row[vertex >> 5] as number) & ~(1 << (vertex & 31));
  }

  row(vertex: number): Int32Array {
    return this.rows[vertex] as Int32Array;
  }

  areConnected(a: number, b: number): boolean {
    return hasBit(this.row(a), b);
  }

  /** By vertex: how many neighbours it has. */
  degrees(): Int32Array {
    return Int32Array.from(this.rows, (row) => row.reduce((sum, word) => sum + bitsIn(word), 0));
  }

  /** All vertices, those with the most neighbours first. */
  byDegree(): number[] {
    const degrees = this.degrees();
    return [...degrees.keys()].sort((a, b) => (degrees[b] as number) - (degrees[a] as number) || a - b);
  }

  /** The share of all pairs that are connected. */
  density(): number {
    return this.degrees().reduce((sum, degree) => sum + degree, 0) / (this.size * (this.size - 1));
  }
}

export function setBit(words: Int32Array, number: number): void {
  words[number >> 5] = (words[number >> 5] as number) | (1 << (number & 31));
}

function bitsIn(word: number): number {
  let count = 0;
  for (let bits = word; bits !== 0; bits &= bits - 1) count++;
  return count;
}
