import { MinHeap } from './heap';
import type { Lists } from '../graph/lists';

/**
 * Parts of a complete multipartite graph that are being used up, in a heap by their oldest record for each amount of room
 * beside them.
 */
export class WaitingParts {
  /** How many batches these parts need, if nothing else is in them. */
  batchesNeeded = 0;
  private readonly headsByRoom = new Map<number, MinHeap>();
  private readonly partWithHead = new Map<number, number>();
  /** By part: the place of its oldest record that is left. */
  private readonly next: Int32Array;

  /** @param parts the records of each, oldest first, none empty */
  constructor(
    private readonly parts: Lists,
    private readonly maxBatchSize: number,
  ) {
    this.next = parts.starts.slice();
    for (let part = 0; part < parts.starts.length - 1; part++) this.put(part);
  }

  /** The largest room beside a waiting part; 0 when there is none. */
  get roomiest(): number {
    let roomiest = 0;
    for (const room of this.headsByRoom.keys()) roomiest = Math.max(roomiest, room);
    return roomiest;
  }

  /** How many other records fit into the batches that a part needs. */
  roomBeside(part: number): number {
    return this.batchesFor(part) * this.maxBatchSize - this.remaining(part);
  }

  /** The oldest record of a part that is left; Infinity when there is none. */
  headOf(part: number): number {
    return this.remaining(part) > 0 ? (this.parts.items[this.next[part] ?? 0] ?? 0) : Infinity;
  }

  /** Uses up the head of a part that was taken out. */
  useHead(part: number): void {
    this.next[part] = (this.next[part] ?? 0) + 1;
  }

  put(part: number): void {
    const head = this.headOf(part);
    if (head === Infinity) return;
    const room = this.roomBeside(part);
    const heads = this.headsByRoom.get(room) ?? new MinHeap();
    heads.push(head);
    this.headsByRoom.set(room, heads);
    this.partWithHead.set(head, part);
    this.batchesNeeded += this.batchesFor(part);
  }

  /**
   * Takes out the part with the oldest head among those that fit; undefined if none does.
   * @param fits must accept an older head, too, whenever it accepts one with the same room
   */
  take(fits: (room: number, head: number) => boolean): number | undefined {
    let oldest = Infinity;
    let roomOfOldest = 0;
    for (const [room, heads] of this.headsByRoom) {
      const head = heads.peek();
      if (head > oldest || !fits(room, head)) continue;
      oldest = head;
      roomOfOldest = room;
    }
    const part = this.partWithHead.get(oldest);
    if (part === undefined) return undefined;
    this.partWithHead.delete(oldest);
    const heads = this.headsByRoom.get(roomOfOldest);
    heads?.pop();
    if (heads?.size === 0) this.headsByRoom.delete(roomOfOldest);
    this.batchesNeeded -= this.batchesFor(part);
    return part;
  }

  private batchesFor(part: number): number {
    return Math.ceil(this.remaining(part) / this.maxBatchSize);
  }

  private remaining(part: number): number {
    return (this.parts.starts[part + 1] ?? 0) - (this.next[part] ?? 0);
  }
}
