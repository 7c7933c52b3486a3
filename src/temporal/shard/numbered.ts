import { randomBytes } from 'node:crypto';
import type { MessageOrigin } from '../../domain/windows/sender-window';

/**
 * Numbers the messages of one sender and sends them one at a time. A call to Temporal without a reply is retried, also by
 * the SDK. The number lets the batcher recognise a message that an earlier run accepted (G4).
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

/** The id of an update. The server deduplicates it within a run, the batcher across runs. */
export function updateIdOf({ sender, number }: MessageOrigin): string {
  return `${sender}-${number}`;
}
