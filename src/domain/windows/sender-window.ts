/** The sender of a message, and the number of the message among those of the sender, from 1. */
export interface MessageOrigin {
  /** Identifies a process, or one of several senders in a process, for its lifetime. */
  sender: string;
  number: number;
}

/**
 * How many senders are remembered, the most recent ones: at most 10 KiB of carried state. A message that is repeated
 * after messages of 300 other senders is accepted again.
 */
export const MAX_SENDERS = 300;

/** Bound of a sender's name, in characters. */
export const MAX_SENDER_LENGTH = 16;

/** The last message number of each sender; the sender whose last message is oldest comes first. */
export type SenderWindow = Map<string, number>;
export type PackedSenders = [sender: string, last: number][];

/**
 * Remembers a message, and returns whether it is new. A sender sends one message at a time, and gives up on a message
 * before it sends the next. So a number that isn't above the last one is a repeat, or a message that was given up on and
 * never acknowledged (G3, G4).
 */
export function noteMessage(window: SenderWindow, { sender, number }: MessageOrigin): boolean {
  const last = window.get(sender);
  if (last !== undefined && number <= last) return false;
  window.delete(sender);
  window.set(sender, number);
  for (const oldest of window.keys()) {
    if (window.size <= MAX_SENDERS) break;
    window.delete(oldest);
  }
  return true;
}
