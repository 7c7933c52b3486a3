const EMPTY = -1;

/** A slot, a batch and a constraint, side by side in memory, and one cell that is not used. */
const CELLS = 4;

/** Which batches have which slots taken, and by which constraint: a table with open addressing, linear in its entries. */
export class TakenSlots {
  private readonly cells: Int32Array;
  private readonly mask: number;

  /** @param most entries that there can be */
  constructor(most: number) {
    // The power of two that leaves it half empty.
    const size = 2 << (32 - Math.clz32(Math.max(most, 4)));
    this.mask = size - 1;
    this.cells = new Int32Array(CELLS * size).fill(EMPTY);
  }

  /** The constraint under which a batch has a slot taken; undefined when it hasn't. */
  takenBy(slot: number, batch: number): number | undefined {
    const place = this.placeOf(slot, batch);
    return this.cells[place] === EMPTY ? undefined : this.cells[place + 2];
  }

  /** Notes the constraint under which a batch takes a slot; the first one stays. */
  take(slot: number, batch: number, constraint: number): void {
    const place = this.placeOf(slot, batch);
    const { cells } = this;
    if (cells[place] !== EMPTY) return;
    cells[place] = slot;
    cells[place + 1] = batch;
    cells[place + 2] = constraint;
  }

  /** Where an entry is, or where it would be put. */
  private placeOf(slot: number, batch: number): number {
    const { cells, mask } = this;
    const mixed = Math.imul(slot, 0x9e3779b1) ^ Math.imul(batch, 0x85ebca6b);
    let place = CELLS * ((mixed ^ (mixed >>> 15)) & mask);
    while (cells[place] !== EMPTY && (cells[place] !== slot || cells[place + 1] !== batch))
      place = (place + CELLS) & (CELLS * mask + CELLS - 1);
    return place;
  }
}
