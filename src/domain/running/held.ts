import { KIB } from '../duration';
import { holdOf, type Hold } from './holds';
import { TakenSlots } from './slots';

/** What is held, as plain JSON for continue-as-new: keys without values, those of one batch in one text. */
export interface PackedHeld {
  /** What the batches of a workflow hold, by its number; those that hold nothing are left out. */
  inFlight: [seq: number, keys: string][];
  /** Workflows with a smaller number began under other rules. */
  strangersBefore: number;
  /** What ended too recently, the earliest first: `key@later`, by how many milliseconds after `endedSinceMs`, in base 36. */
  ended: string;
  endedSinceMs: number;
  /** When the last one ended that began under other rules; null when that is long enough ago. */
  strangerEndedAtMs: number | null;
}

/**
 * What may be held at once, as packed JSON: several hundred values of a `distinct` rule, any number of equal records.
 * Records that would hold more wait until something is let go; what holds nothing isn't concerned.
 */
export const MAX_HELD_BYTES = 14 * KIB;

/** What packing adds to the keys of a workflow in flight. */
const WORKFLOW_BYTES = 20;

/** What it adds to each key: a space while in flight; afterwards also when that ended, up to a day after the first. */
const KEY_BYTES = 8;

/**
 * What batches in flight hold, and those that ended less than `apartMs` ago. A workflow that began under other rules is a
 * stranger: nobody knows what it holds under these, so nothing that holds anything starts beside it, or too soon after.
 */
export class Held {
  private readonly workflows = new Map<number, readonly Hold[]>();
  private readonly strangers = new Set<number>();
  /** By key, in the order of ending. */
  private readonly ended = new Map<string, { hold: Hold; endedAtMs: number }>();
  private readonly taken = new TakenSlots();
  private strangersBefore = 0;
  private strangerEndedAtMs: number | null = null;
  private bytes = 0;

  /** @param apartMs how long after its end a batch still holds what it held, in milliseconds */
  constructor(readonly apartMs: number) {}

  /** A workflow begins, with all its batches. */
  begin(seq: number, holds: readonly Hold[]): void {
    if (holds.length === 0) return;
    this.workflows.set(seq, holds);
    this.bytes += WORKFLOW_BYTES;
    for (const hold of holds) this.take(hold);
  }

  /** A workflow that was to begin doesn't. */
  callOff(seq: number): void {
    this.strangers.delete(seq);
    this.leave(seq);
  }

  /** A workflow ends: with everything that has to be done for its batches, however it ends. */
  end(seq: number, nowMs: number): void {
    if (this.strangers.delete(seq)) this.strangerEndedAtMs = nowMs;
    for (const hold of this.leave(seq)) this.keepFor(hold, nowMs);
  }

  /** Lets go what ended long enough ago. */
  release(nowMs: number): void {
    const isOver = (endedAtMs: number) => endedAtMs + this.apartMs <= nowMs;
    if (this.strangerEndedAtMs !== null && isOver(this.strangerEndedAtMs)) this.strangerEndedAtMs = null;
    for (const { hold, endedAtMs } of this.ended.values()) {
      if (!isOver(endedAtMs)) break;
      this.dropEnded(hold);
    }
  }

  /** When something is let go next, if nothing ends before; undefined when nothing has ended that is kept. */
  nextReleaseAtMs(): number | undefined {
    const [first] = this.ended.values();
    const times = [first?.endedAtMs, this.strangerEndedAtMs].filter((time) => typeof time === 'number');
    return times.length === 0 ? undefined : Math.min(...times) + this.apartMs;
  }

  /**
   * These rules are in force from now on, others were before: all that is in flight are strangers, and for all that is
   * known one has just ended.
   * @param inFlight the numbers of the workflows
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

  /** Whether somebody is known to hold what these can't share, or may. */
  keepsApart(holds: readonly Hold[]): boolean {
    const hasStrangers = this.strangers.size > 0 || this.strangerEndedAtMs !== null;
    return holds.length > 0 && (hasStrangers || holds.some((hold) => this.taken.conflictsWith(hold)));
  }

  /** The room that is left for what batches hold that are to begin one after another. */
  room(): HeldRoom {
    return new HeldRoom(this.bytes);
  }

  pack(): PackedHeld {
    const ended = [...this.ended.values()];
    const endedSinceMs = ended.reduce((since, { endedAtMs }) => Math.min(since, endedAtMs), Infinity);
    return {
      inFlight: [...this.workflows].map(([seq, holds]) => [seq, textOf(holds.map(({ key }) => key))]),
      strangersBefore: this.strangersBefore,
      ended: textOf(
        ended.map(({ hold, endedAtMs }) => `${hold.key}@${(endedAtMs - endedSinceMs).toString(36)}`),
      ),
      endedSinceMs: ended.length === 0 ? 0 : endedSinceMs,
      strangerEndedAtMs: this.strangerEndedAtMs,
    };
  }

  /** @param inFlight the numbers of the workflows */
  static unpack(packed: PackedHeld, apartMs: number, inFlight: Iterable<number>): Held {
    const held = new Held(apartMs);
    for (const [seq, keys] of packed.inFlight) held.begin(seq, keysIn(keys).map(holdOf));
    for (const text of keysIn(packed.ended)) {
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
    this.bytes += bytesOf(hold);
  }

  private giveBack(hold: Hold): void {
    this.taken.giveBack(hold);
    this.bytes -= bytesOf(hold);
  }

  private leave(seq: number): readonly Hold[] {
    const holds = this.workflows.get(seq) ?? [];
    if (this.workflows.delete(seq)) this.bytes -= WORKFLOW_BYTES;
    for (const hold of holds) this.giveBack(hold);
    return holds;
  }

  private keepFor(hold: Hold, endedAtMs: number): void {
    if (this.ended.has(hold.key)) this.dropEnded(hold);
    this.ended.set(hold.key, { hold, endedAtMs });
    this.take(hold);
  }

  private dropEnded(hold: Hold): void {
    this.ended.delete(hold.key);
    this.giveBack(hold);
  }
}

/**
 * Room for what may be held. Once a record finds none, younger ones that would need some don't go before it. The first
 * always has room, so that none waits for ever: how many rules can apply to one record is bounded.
 */
export class HeldRoom {
  private isOver = false;

  constructor(private bytes: number) {}

  /**
   * @param holds what a record would hold that its batch doesn't hold without it
   * @param isFirst whether its batch holds nothing yet
   */
  takes(holds: readonly Hold[], isFirst: boolean): boolean {
    if (holds.length === 0) return true;
    const more = holds.reduce((sum, hold) => sum + bytesOf(hold), isFirst ? WORKFLOW_BYTES : 0);
    this.isOver ||= this.bytes > 0 && this.bytes + more > MAX_HELD_BYTES;
    if (!this.isOver) this.bytes += more;
    return !this.isOver;
  }
}

/** What a hold takes of the packed state at most, in flight and afterwards. */
function bytesOf({ key }: Hold): number {
  return key.length + KEY_BYTES;
}

function textOf(keys: readonly string[]): string {
  return keys.join(' ');
}

function keysIn(text: string): string[] {
  return text === '' ? [] : text.split(' ');
}
