/**
 * Shares runs of something between concurrent calls for a key: calls that arrive during a run share the next one, so many
 * concurrent calls cost two runs. A call never gets the result of a run that started before it, because that run may have
 * missed the caller's last change.
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
