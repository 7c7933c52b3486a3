/** How much one commit may hold, and how many commits may be pending. */
export interface GroupLimits {
  entries: number;
  /** Total bytes of the entries; a single entry may be larger and then forms a group by itself. */
  bytes: number;
  inFlight: number;
  /** How long to wait after a commit for its callers to come back. */
  gatherMs: number;
}

/** An entry that waits for its commit. */
interface Waiting<Entry, Result> {
  entry: Entry;
  bytes: number;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit: entries that arrive while commits are pending form the next one together, in order of arrival. So groups
 * grow with the load, and on an idle system an entry is committed alone and at once.
 *
 * Callers that wait for their result before they send again all come back just after a commit. The first of them would find
 * nothing pending and go alone, and everybody else would wait for it. So the next commit waits until there are as many
 * entries as in the last commit plus those that arrived during it, or for `gatherMs` after it. Nobody beyond that is waited
 * for. (Counting only the last commit, two halves of the callers could take turns for ever, each waiting for the other.)
 * PostgreSQL's commit_delay and commit_siblings are based on the same observation.
 * @param commit makes a group durable, and returns a result per entry, in order; an error rejects exactly the entries of
 *   that group
 * @returns a function that adds an entry and resolves with its result when its group is durable
 */
export function createGroupCommit<Entry, Result>(
  limits: GroupLimits,
  commit: (entries: Entry[], bytes: number) => Promise<readonly Result[]>,
): (entry: Entry, bytes: number) => Promise<Result> {
  const waiting: Waiting<Entry, Result>[] = [];
  let waitingBytes = 0;
  let inFlight = 0;
  let scheduled = false;
  /** How many callers are likely to come back, and until when. */
  let expected = { entries: 0, untilMs: 0 };
  let gathering: NodeJS.Timeout | undefined;

  function schedule(): void {
    if (scheduled || inFlight === limits.inFlight || waiting.length === 0) return;
    if (waiting.length < expected.entries && waitingBytes < limits.bytes) {
      const leftMs = expected.untilMs - performance.now();
      if (leftMs > 0) {
        gathering ??= setTimeout(stopGathering, leftMs);
        return;
      }
    }
    clearTimeout(gathering);
    gathering = undefined;
    // Entries that this turn of the event loop has yet to read from its sockets join the group.
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      void send(nextGroup());
      schedule();
    });
  }

  function stopGathering(): void {
    gathering = undefined;
    expected = { entries: 0, untilMs: 0 };
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
      expected = { entries: group.length + waiting.length, untilMs: performance.now() + limits.gatherMs };
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
