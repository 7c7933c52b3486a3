const EMPTY = -1;

/** Which batches have which slots taken, and with which key: a table with open addressing, linear in its entries. */
export class TakenSlots {
  private readonly slots: Int32Array;
  private readonly batches: Int32Array;
  private readonly keys: Int32Array;
  private readonly mask: number;

  /** @param most entries that there can be */
  constructor(most: number) {
    // The power of two that leaves it half empty.
    const size = 2 << (32 - Math.clz32(Math.max(most, 4)));
    this.mask = size - 1;
    this.slots = new Int32Array(size).fill(EMPTY);
    this.batches = new Int32Array(size);
    this.keys = new Int32Array(size);
  }

  /** The key with which a batch has a slot taken; undefined when it hasn't. */
  keyIn(slot: number, batch: number): number | undefined {
    const place = this.placeOf(slot, batch);
    return this.slots[place] === EMPTY ? undefined : this.keys[place];
  }

  /** Notes the key with which a batch takes a slot; the first one stays. */
  take(slot: number, batch: number, key: number): void {
    const place = this.placeOf(slot, batch);
    if (this.slots[place] !== EMPTY) return;
    this.slots[place] = slot;
    this.batches[place] = batch;
    this.keys[place] = key;
  }

  /** Where an entry is, or where it would be put. */
  private placeOf(slot: number, batch: number): number {
    const { slots, batches, mask } = this;
    const mixed = Math.imul(slot, 0x9e3779b1) ^ Math.imul(batch, 0x85ebca6b);
    let place = (mixed ^ (mixed >>> 15)) & mask;
    while (slots[place] !== EMPTY && (slots[place] !== slot || batches[place] !== batch))
      place = (place + 1) & mask;
    return place;
  }
}
