/** How much one commit may hold, and how many may be under way at once. */
export interface GroupLimits {
  entries: number;
  /** Of the entries together; a single entry may be larger, and then goes alone. */
  bytes: number;
  inFlight: number;
  /** How long after a commit its callers are awaited. */
  gatherMs: number;
}

/** One that waits for its commit. */
interface Waiting<Entry, Result> {
  entry: Entry;
  bytes: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit: what arrives while commits are under way goes into the next one together, in the order of arrival. So
 * the groups grow with the load, and on an idle system an entry goes at once, alone.
 *
 * Callers who wait for their answer before they send again all come back just after a commit. The first of them would
 * find nothing under way and go alone, and everybody else would wait for him. So the next commit waits until as many are
 * there as were in the last one and came while it was under way, or for `gatherMs` from its end, whatever comes first: it
 * is the company that has just been seen which is waited for, and nobody who comes later than that waits at all. (With
 * those in the commit alone, two halves of the callers could take turns for ever, each waiting for the other's commits.)
 * (PostgreSQL's commit_delay and commit_siblings rest on the same observation.)
 * @param commit makes a group durable, and returns a result per entry, in order; what it throws fails exactly the entries
 *   of that group
 * @returns adds an entry; resolves with its result when its group is durable
 */
export function createGroupCommit<Entry, Result>(
  limits: GroupLimits,
  commit: (entries: Entry[], bytes: number) => Promise<readonly Result[]>,
): (entry: Entry, bytes: number) => Promise<Result> {
  const waiting: Waiting<Entry, Result>[] = [];
  let waitingBytes = 0;
  let inFlight = 0;
  let scheduled = false;
  /** How many are likely to come back, and until when that is likely. */
  let company = { entries: 0, untilMs: 0 };
  let gathering: NodeJS.Timeout | undefined;

  function schedule(): void {
    if (scheduled || inFlight === limits.inFlight || waiting.length === 0) return;
    if (waiting.length < company.entries && waitingBytes < limits.bytes) {
      const leftMs = company.untilMs - performance.now();
      if (leftMs > 0) {
        gathering ??= setTimeout(stopGathering, leftMs);
        return;
      }
    }
    clearTimeout(gathering);
    gathering = undefined;
    // What else this turn of the event loop has read from its sockets goes along.
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      void send(nextGroup());
      schedule();
    });
  }

  function stopGathering(): void {
    gathering = undefined;
    company = { entries: 0, untilMs: 0 };
    schedule();
  }

  function nextGroup(): Waiting<Entry, Result>[] {
    let count = 0;
    let bytes = 0;
    for (const one of waiting) {
      bytes += one.bytes;
      if (count === limits.entries || (count > 0 && bytes > limits.bytes)) break;
      count++;
    }
    const group = waiting.splice(0, count);
    for (const one of group) waitingBytes -= one.bytes;
    return group;
  }

  async function send(group: readonly Waiting<Entry, Result>[]): Promise<void> {
    inFlight++;
    try {
      const bytes = group.reduce((sum, one) => sum + one.bytes, 0);
      const results = await commit(
        group.map(({ entry }) => entry),
        bytes,
      );
      if (results.length !== group.length)
        throw new TypeError(`a commit of ${group.length} entries returned ${results.length} results`);
      for (const [i, { resolve }] of group.entries()) resolve(results[i] as Result);
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      inFlight--;
      company = { entries: group.length + waiting.length, untilMs: performance.now() + limits.gatherMs };
      schedule();
    }
  }

  return (entry, bytes) =>
    new Promise((resolve, reject) => {
      waiting.push({ entry, bytes, resolve, reject });
      waitingBytes += bytes;
      schedule();
    });
}
