import type { MessageOrigin } from '../../src/domain/windows/sender-window';
import {
  MAX_SENDERS,
  MAX_SENDER_LENGTH,
  noteMessage,
  type SenderWindow,
} from '../../src/domain/windows/sender-window';
import { NumberedSender, updateIdOf } from '../../src/temporal/shard/numbered';

/** Sends that a test lets end one by one. */
function heldUp() {
  const sender = new NumberedSender();
  const sends: { origin: MessageOrigin; end: () => void; fail: (error: Error) => void }[] = [];
  const send = () =>
    sender.send(
      (origin) =>
        new Promise<number>((resolve, reject) => {
          sends.push({ origin, end: () => resolve(origin.number), fail: reject });
        }),
    );
  return { sends, send };
}

/** Lets everything run that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe('A numbered sender', () => {
  test('sends one message at a time, in order, each with the next number.', async () => {
    const { sends, send } = heldUp();
    const results = [send(), send(), send()];
    for (let sent = 1; sent <= 3; sent++) {
      await settle();
      expect(sends.map(({ origin }) => origin.number)).toEqual([1, 2, 3].slice(0, sent));
      sends[sent - 1]!.end();
    }
    expect(await Promise.all(results)).toEqual([1, 2, 3]);
    expect(new Set(sends.map(({ origin }) => origin.sender)).size).toBe(1);
  });

  test('gives up on a message that fails, rejects only its caller, and sends the next message under its own number.', async () => {
    const { sends, send } = heldUp();
    const [first, second] = [send(), send()];
    await settle();
    sends[0]!.fail(new Error('no reply'));
    await expect(first).rejects.toThrow('no reply');
    await settle();
    sends[1]!.end();
    expect(await second).toBe(2);
  });

  test("has a unique name within the batcher's bound, which distinguishes its updates from those of others.", async () => {
    const origins = await Promise.all(
      [new NumberedSender(), new NumberedSender()].map((one) =>
        one.send((origin) => Promise.resolve(origin)),
      ),
    );
    expect(new Set(origins.map(updateIdOf)).size).toBe(2);
    for (const { sender, number } of origins) {
      expect(sender.length).toBeLessThanOrEqual(MAX_SENDER_LENGTH);
      expect(number).toBe(1);
    }
  });
});

describe('The window of senders', () => {
  const note = (window: SenderWindow, sender: string, number: number) =>
    noteMessage(window, { sender, number });

  test('G4: accepts a message once, and neither repeats nor messages that arrive after a later one of their sender.', () => {
    const window: SenderWindow = new Map();
    const noted = [1, 2, 2, 1, 5, 4, 3, 6].map((number) => note(window, 'a', number));
    expect(noted).toEqual([true, true, false, false, true, false, false, true]);
  });

  test('treats the numbers of different senders independently.', () => {
    const window: SenderWindow = new Map();
    expect(note(window, 'a', 7)).toBe(true);
    expect(note(window, 'b', 1)).toBe(true);
    expect(note(window, 'a', 7)).toBe(false);
  });

  test('treats names with a special meaning in JavaScript like other names.', () => {
    const window: SenderWindow = new Map();
    for (const sender of ['__proto__', 'constructor', '']) {
      expect(note(window, sender, 1)).toBe(true);
      expect(note(window, sender, 1)).toBe(false);
    }
  });

  test('G6: remembers three hundred senders, and forgets the one whose last message is oldest first.', () => {
    const window: SenderWindow = new Map();
    for (let i = 0; i < MAX_SENDERS; i++) note(window, `s${i}`, 1);
    note(window, 's0', 2);
    note(window, 'one more', 1);
    expect(window.size).toBe(MAX_SENDERS);
    expect(note(window, 's0', 2)).toBe(false);
    expect(note(window, 's2', 1)).toBe(false);
    expect(note(window, 's1', 1)).toBe(true);
  });

  test("is not changed by a repeat, which doesn't show that its sender is still alive.", () => {
    const window: SenderWindow = new Map();
    for (const sender of ['a', 'b']) note(window, sender, 1);
    note(window, 'a', 1);
    expect([...window]).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
  });
});
