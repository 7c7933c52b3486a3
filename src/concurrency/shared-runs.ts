/**
 * Runs something for a key with company: calls that arrive while it runs share the next run, so many side by side cost
 * two. A call is never answered by a run that had started before it: that one may have missed what the caller did last.
 */
export function shareRuns<T>(run: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  const next = new Map<string, Promise<T>>();

  function start(key: string): Promise<T> {
    next.delete(key);
    const done = run(key).finally(() => running.delete(key));
    running.set(key, done);
    return done;
  }

  return (key) => {
    const current = running.get(key);
    if (current === undefined) return start(key);
    const waiting = next.get(key);
    if (waiting !== undefined) return waiting;
    const startNext = (): Promise<T> => start(key);
    const queued = current.then(startNext, startNext);
    next.set(key, queued);
    return queued;
  };
}
