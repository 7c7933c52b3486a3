/** A binary min-heap of numbers: `push` and `pop` in O(log n). */
export class MinHeap {
  private readonly items: number[] = [];

  get size(): number {
    return this.items.length;
  }

  /** The least, which stays; Infinity when there is none. */
  peek(): number {
    return this.items[0] ?? Infinity;
  }

  push(item: number): void {
    const { items } = this;
    let hole = items.length;
    items.push(item);
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      const above = items[parent] ?? 0;
      if (above <= item) break;
      items[hole] = above;
      hole = parent;
    }
    items[hole] = item;
  }

  /** Takes out the least; Infinity when there is none. */
  pop(): number {
    const { items } = this;
    const least = items[0];
    const last = items.pop();
    if (least === undefined || last === undefined) return Infinity;
    if (items.length === 0) return least;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && (items[child + 1] ?? 0) < (items[child] ?? 0)) child++;
      const below = items[child] ?? 0;
      if (below >= last) break;
      items[hole] = below;
      hole = child;
    }
    items[hole] = last;
    return least;
  }
}
