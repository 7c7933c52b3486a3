import { KIB } from '../duration';
import { Holders } from './holders';
import { holdOf, sidesConflict, type Hold } from './holds';
import { TakenPlaces } from './taken-places';

/** {@link Held} as plain JSON for continue-as-new. */
export interface PackedHeld {
  /** Per child in flight that holds anything: its sequence number, and the keys of its holds, separated by spaces. */
  inFlight: [seq: number, keys: string][];
  /** Children with a smaller sequence number started under other rules. */
  strangersBefore: number;
  /**
   * Holds that ended less than `apartMs` ago, earliest first, separated by spaces: `key@later`, where `later` is the
   * number of milliseconds after `endedSinceMs`, in base 36.
   */
  ended: string;
  /** Milliseconds since the epoch. */
  endedSinceMs: number;
  /** When the last stranger ended; null if that was more than `apartMs` ago. */
  strangerEndedAtMs: number | null;
}

/**
 * Bound of the packed holds: several hundred values of a `distinct` rule, or any number of equal records. Records that
 * would exceed it wait until holds are released; records without holds don't wait.
 */
export const MAX_HELD_BYTES = 14 * KIB;

/** What packing adds per child in flight. */
const CHILD_BYTES = 20;

/** What packing adds per key: a space, and after the child has ended also its time, up to a day after the first one. */
const KEY_BYTES = 8;

/**
 * The holds of children in flight, and of children that ended less than `apartMs` ago. A child that started under other
 * rules is a stranger: its holds under the current rules are unknown, so no record with holds starts while a stranger is
 * in flight, nor within `apartMs` of its end.
 */
export class Held {
  private readonly children = new Map<number, readonly Hold[]>();
  private readonly strangers = new Set<number>();
  /** By key, in the order in which they ended. */
  private readonly ended = new Map<string, { hold: Hold; endedAtMs: number; seq?: number }>();
  private readonly taken = new TakenPlaces();
  private strangersBefore = 0;
  private strangerEndedAtMs: number | null = null;
  private bytes = 0;

  /** @param apartMs how long holds last after the end of their child, in milliseconds */
  constructor(readonly apartMs: number) {}

  /** A child starts; `holds` are those of all its batches. */
  begin(seq: number, holds: readonly Hold[]): void {
    if (holds.length === 0) return;
    this.children.set(seq, holds);
    this.bytes += CHILD_BYTES;
    for (const hold of holds) this.take(hold);
  }

  /** The start of a child failed: its holds end at once. */
  callOff(seq: number): void {
    this.strangers.delete(seq);
    this.leave(seq);
  }

  /** A child ended in any way, with all its batches settled: its holds end `apartMs` later. */
  end(seq: number, nowMs: number): void {
    if (this.strangers.delete(seq)) this.strangerEndedAtMs = nowMs;
    for (const hold of this.leave(seq)) this.keepFor(hold, nowMs, seq);
  }

  /** Releases the holds of children that ended at least `apartMs` ago. */
  release(nowMs: number): void {
    const isOver = (endedAtMs: number) => endedAtMs + this.apartMs <= nowMs;
    if (this.strangerEndedAtMs !== null && isOver(this.strangerEndedAtMs)) this.strangerEndedAtMs = null;
    for (const { hold, endedAtMs } of this.ended.values()) {
      if (!isOver(endedAtMs)) break;
      this.dropEnded(hold);
    }
  }

  /**
   * When {@link release} can next release something if no child ends before, in milliseconds since the epoch;
   * undefined for never.
   */
  nextReleaseAtMs(): number | undefined {
    const [first] = this.ended.values();
    const times = [first?.endedAtMs, this.strangerEndedAtMs].filter((time) => typeof time === 'number');
    return times.length === 0 ? undefined : Math.min(...times) + this.apartMs;
  }

  /**
   * The state when the rules have changed: all children in flight are strangers, and one may have ended just now.
   * @param inFlight sequence numbers of the children in flight
   * @param nextBatchSeq sequence number of the next child
   */
  static amongStrangers(
    apartMs: number,
    inFlight: Iterable<number>,
    nextBatchSeq: number,
    nowMs: number,
  ): Held {
    const held = new Held(apartMs);
    for (const seq of inFlight) held.strangers.add(seq);
    held.strangersBefore = nextBatchSeq;
    held.strangerEndedAtMs = nowMs;
    return held;
  }

  /** Whether holds conflict with others, or may because there are strangers. */
  keepsApart(holds: readonly Hold[]): boolean {
    const hasStrangers = this.strangers.size > 0 || this.strangerEndedAtMs !== null;
    return holds.length > 0 && (hasStrangers || holds.some((hold) => this.taken.conflictsWith(hold)));
  }

  /** Who has the current holds: children in flight, oldest first, before those that have ended, latest first. */
  holders(): Holders {
    const holders = new Holders();
    for (const [seq, holds] of this.children) for (const hold of holds) holders.note(hold, { seq });
    for (const { hold, ...ended } of [...this.ended.values()].reverse()) holders.note(hold, ended);
    return holders;
  }

  /** The oldest stranger in flight, or when the last one ended; undefined without strangers. */
  stranger(): { seq: number } | { endedAtMs: number } | undefined {
    if (this.strangers.size > 0) return { seq: Math.min(...this.strangers) };
    return this.strangerEndedAtMs === null ? undefined : { endedAtMs: this.strangerEndedAtMs };
  }

  /**
   * Everything that keeps a record with these holds from starting, where {@link holders} names the first: the sequence
   * numbers of children in flight, strangers included, and when the last one that ended stops holding it; null if none
   * does.
   */
  allHoldersOf(holds: readonly Hold[]): { seqs: number[]; untilMs: number | null } {
    if (holds.length === 0) return { seqs: [], untilMs: null };
    const meets = (held: Hold) =>
      holds.some(({ place, side }) => place === held.place && sidesConflict(side, held.side));
    const seqs = [...this.children].filter(([, own]) => own.some(meets)).map(([seq]) => seq);
    const ends = [...this.ended.values()].filter(({ hold }) => meets(hold)).map(({ endedAtMs }) => endedAtMs);
    if (this.strangerEndedAtMs !== null) ends.push(this.strangerEndedAtMs);
    return {
      seqs: [...this.strangers, ...seqs],
      untilMs: ends.length === 0 ? null : Math.max(...ends) + this.apartMs,
    };
  }

  /** The room left below {@link MAX_HELD_BYTES}, to be used up by the batches that start next. */
  room(): HeldRoom {
    return new HeldRoom(this.bytes);
  }

  pack(): PackedHeld {
    const ended = [...this.ended.values()];
    const endedSinceMs = ended.reduce((since, { endedAtMs }) => Math.min(since, endedAtMs), Infinity);
    return {
      inFlight: [...this.children].map(([seq, holds]) => [seq, holds.map(({ key }) => key).join(' ')]),
      strangersBefore: this.strangersBefore,
      ended: ended
        .map(({ hold, endedAtMs }) => `${hold.key}@${(endedAtMs - endedSinceMs).toString(36)}`)
        .join(' '),
      endedSinceMs: ended.length === 0 ? 0 : endedSinceMs,
      strangerEndedAtMs: this.strangerEndedAtMs,
    };
  }

  /** @param inFlight sequence numbers of the children in flight */
  static unpack(packed: PackedHeld, apartMs: number, inFlight: Iterable<number>): Held {
    const held = new Held(apartMs);
    for (const [seq, keys] of packed.inFlight) held.begin(seq, splitKeys(keys).map(holdOf));
    for (const text of splitKeys(packed.ended)) {
      const [key = '', later = ''] = text.split('@');
      held.keepFor(holdOf(key), packed.endedSinceMs + parseInt(later, 36));
    }
    for (const seq of inFlight) if (seq < packed.strangersBefore) held.strangers.add(seq);
    held.strangersBefore = packed.strangersBefore;
    held.strangerEndedAtMs = packed.strangerEndedAtMs;
    return held;
  }

  private take(hold: Hold): void {
    this.taken.take(hold);
    this.bytes += packedHoldBytes(hold);
  }

  private giveBack(hold: Hold): void {
    this.taken.giveBack(hold);
    this.bytes -= packedHoldBytes(hold);
  }

  private leave(seq: number): readonly Hold[] {
    const holds = this.children.get(seq) ?? [];
    if (this.children.delete(seq)) this.bytes -= CHILD_BYTES;
    for (const hold of holds) this.giveBack(hold);
    return holds;
  }

  private keepFor(hold: Hold, endedAtMs: number, seq?: number): void {
    if (this.ended.has(hold.key)) this.dropEnded(hold);
    this.ended.set(hold.key, { hold, endedAtMs, ...(seq !== undefined && { seq }) });
    this.take(hold);
  }

  private dropEnded(hold: Hold): void {
    this.ended.delete(hold.key);
    this.giveBack(hold);
  }
}

/**
 * Room for the holds of records, which are offered oldest first. Once a record doesn't fit, no younger record with holds
 * does, so that none overtakes it. If nothing is held, the first record always fits, so that none waits forever; its
 * size is bounded, because the number of rules is.
 */
export class HeldRoom {
  private isUsedUp = false;

  constructor(private bytes: number) {}

  /**
   * Whether a record fits; takes the room if so.
   * @param holds the holds that the record adds to its batch
   * @param isFirst whether its batch has no holds yet
   */
  takes(holds: readonly Hold[], isFirst: boolean): boolean {
    if (holds.length === 0) return true;
    const more = holds.reduce((sum, hold) => sum + packedHoldBytes(hold), isFirst ? CHILD_BYTES : 0);
    this.isUsedUp ||= this.bytes > 0 && this.bytes + more > MAX_HELD_BYTES;
    if (!this.isUsedUp) this.bytes += more;
    return !this.isUsedUp;
  }
}

/** Upper bound of the packed size of a hold, while its child is in flight and afterwards. */
function packedHoldBytes({ key }: Hold): number {
  return key.length + KEY_BYTES;
}

function splitKeys(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}
