/** Who sent a message, and the message's number among those of this sender, from 1. */
export interface MessageOrigin {
  /** Names one process, or one of its ways to send, for as long as it runs. */
  sender: string;
  number: number;
}

/**
 * How many senders are remembered, the most recent ones: at most 10 KiB of what is carried. A message that is repeated
 * after 300 other senders have been heard is taken again.
 */
export const MAX_SENDERS = 300;

/** Of a sender's name. */
export const MAX_SENDER_LENGTH = 16;

/** The last number of each sender, the one that was heard longest ago first. */
export type SenderWindow = Map<string, number>;
export type PackedSenders = [sender: string, last: number][];

/**
 * Notes a message; whether it is new. A sender sends one message at a time and gives up on one before it sends the next,
 * so a number that isn't above the last one is a repeat, or was given up on: nobody was told that it was taken (G3, G4).
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
