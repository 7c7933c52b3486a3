import { randomBytes } from 'node:crypto';
import type { MessageOrigin } from '../../domain/windows/sender-window';

/**
 * Numbers the messages of one sender and sends one at a time. A call to Temporal that got no reply is repeated, also by
 * the SDK; by the number, the batcher knows a message that it has taken in an earlier run (G4).
 */
export class NumberedSender {
  private readonly sender = randomBytes(9).toString('base64url');
  private number = 0;
  private last: Promise<unknown> = Promise.resolve();

  send<T>(send: (origin: MessageOrigin) => Promise<T>): Promise<T> {
    const origin = { sender: this.sender, number: ++this.number };
    const sent = this.last.then(() => send(origin));
    this.last = sent.catch(() => undefined);
    return sent;
  }
}

/** Names an update: the server knows one that it has seen in the same run, the batcher one of an earlier run. */
export function updateIdOf({ sender, number }: MessageOrigin): string {
  return `${sender}-${number}`;
}
