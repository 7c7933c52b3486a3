/** How much one commit may hold, and how many may be under way at once. */
export interface GroupLimits {
  entries: number;
  /** Of the entries together; a single entry may be larger, and then goes alone. */
  bytes: number;
  inFlight: number;
}

/** One that waits for its commit. */
interface Waiting<Entry> {
  entry: Entry;
  bytes: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit: what arrives while commits are under way goes into the next one together, in the order of arrival. So
 * the groups grow with the load and there is no time to wait for: on an idle system an entry goes at once, alone.
 * @param commit makes a group durable; what it throws fails exactly the entries of that group
 * @returns adds an entry; resolves when its group is durable
 */
export function createGroupCommit<Entry>(
  limits: GroupLimits,
  commit: (entries: Entry[]) => Promise<void>,
): (entry: Entry, bytes: number) => Promise<void> {
  const waiting: Waiting<Entry>[] = [];
  let inFlight = 0;
  let scheduled = false;

  /** What else this turn of the event loop has read from its sockets goes along. */
  function schedule(): void {
    if (scheduled || inFlight === limits.inFlight || waiting.length === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      void send(nextGroup());
      schedule();
    });
  }

  function nextGroup(): Waiting<Entry>[] {
    let count = 0;
    let bytes = 0;
    for (const one of waiting) {
      bytes += one.bytes;
      if (count === limits.entries || (count > 0 && bytes > limits.bytes)) break;
      count++;
    }
    return waiting.splice(0, count);
  }

  async function send(group: readonly Waiting<Entry>[]): Promise<void> {
    inFlight++;
    try {
      await commit(group.map(({ entry }) => entry));
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      inFlight--;
      schedule();
    }
  }

  return (entry, bytes) =>
    new Promise((resolve, reject) => {
      waiting.push({ entry, bytes, resolve, reject });
      schedule();
    });
}
