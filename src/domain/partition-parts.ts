import { MinHeap } from './partition-heap';

/** Records of which no two conflict, and which conflict with those of every other part. */
export interface Part {
  /** Oldest first. */
  records: readonly number[];
  /** How many of them, the oldest, are in a batch. */
  taken: number;
}

/** The parts that have records left, in a heap by their oldest one for each amount of room beside them. */
export class WaitingParts {
  /** How many batches these parts need, if nothing else is in them. */
  batchesNeeded = 0;
  private readonly headsByRoom = new Map<number, MinHeap>();
  private readonly byHead = new Map<number, Part>();

  constructor(
    parts: readonly (readonly number[])[],
    private readonly maxBatchSize: number,
  ) {
    for (const records of parts) this.put({ records, taken: 0 });
  }

  /** The largest room beside a waiting part; 0 when there is none. */
  get roomiest(): number {
    return Math.max(0, ...this.headsByRoom.keys());
  }

  /** How many other records fit into the batches that a part needs. */
  roomBeside(part: Part): number {
    return this.batchesFor(part) * this.maxBatchSize - remaining(part);
  }

  put(part: Part): void {
    const head = part.records[part.taken];
    if (head === undefined) return;
    const room = this.roomBeside(part);
    const heads = this.headsByRoom.get(room) ?? new MinHeap();
    heads.push(head);
    this.headsByRoom.set(room, heads);
    this.byHead.set(head, part);
    this.batchesNeeded += this.batchesFor(part);
  }

  /**
   * Takes out the part with the oldest head among those that fit; undefined if none does.
   * @param fits must accept an older head, too, whenever it accepts one with the same room
   */
  take(fits: (room: number, head: number) => boolean): Part | undefined {
    let oldest = Infinity;
    let roomOfOldest = 0;
    for (const [room, heads] of this.headsByRoom) {
      const head = heads.peek() as number;
      if (head > oldest || !fits(room, head)) continue;
      oldest = head;
      roomOfOldest = room;
    }
    const part = this.byHead.get(oldest);
    if (part === undefined) return undefined;
    const heads = this.headsByRoom.get(roomOfOldest);
    heads?.pop();
    if (heads?.size === 0) this.headsByRoom.delete(roomOfOldest);
    this.batchesNeeded -= this.batchesFor(part);
    return part;
  }

  private batchesFor(part: Part): number {
    return Math.ceil(remaining(part) / this.maxBatchSize);
  }
}

function remaining({ records, taken }: Part): number {
  return records.length - taken;
}
