/** A group is complete when nothing was added for this long: the activities of a batch start within a few milliseconds. */
const QUIET_MS = 20;
/** Maximum age of a group. */
const LONGEST_MS = 200;

interface Waiting<Entry> {
  entry: Entry;
  resolve: () => void;
  reject: (error: unknown) => void;
}

interface Group<Entry> {
  waiting: Waiting<Entry>[];
  quiet: NodeJS.Timeout | undefined;
  longest: NodeJS.Timeout;
}

/**
 * Collects entries of one key that arrive close together into one call.
 * @param full number of entries that make a group complete
 * @param call returns a result for each entry, in order; an error rejects all of them
 */
export function createGathering<Entry>(
  full: number,
  call: (entries: readonly Entry[]) => Promise<readonly PromiseSettledResult<void>[]>,
): (key: string, entry: Entry) => Promise<void> {
  const groups = new Map<string, Group<Entry>>();

  function send(key: string, { waiting, quiet, longest }: Group<Entry>): void {
    groups.delete(key);
    clearTimeout(quiet);
    clearTimeout(longest);
    call(waiting.map(({ entry }) => entry)).then(
      (results) => {
        for (const [i, { resolve, reject }] of waiting.entries()) {
          const result = results[i];
          if (result?.status === 'fulfilled') resolve();
          else reject(result?.reason);
        }
      },
      (error: unknown) => {
        for (const { reject } of waiting) reject(error);
      },
    );
  }

  return (key, entry) =>
    new Promise((resolve, reject) => {
      let group = groups.get(key);
      if (group === undefined) {
        const begun: Group<Entry> = {
          waiting: [],
          quiet: undefined,
          longest: setTimeout(() => send(key, begun), LONGEST_MS),
        };
        groups.set(key, (group = begun));
      }
      const own = group;
      own.waiting.push({ entry, resolve, reject });
      clearTimeout(own.quiet);
      if (own.waiting.length >= full) send(key, own);
      else own.quiet = setTimeout(() => send(key, own), QUIET_MS);
    });
}
