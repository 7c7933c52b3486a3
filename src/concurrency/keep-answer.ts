/**
 * Asks at most once per `forMs`, counted from when an answer was asked for, and never again while an answer is pending.
 * Callers in between share the answer. A failed answer is shared by those who wait for it, and not kept.
 */
export function keepAnswer<T>(forMs: number, ask: () => Promise<T>): () => Promise<T> {
  let kept: { answer: Promise<T>; askedAtMs: number; isPending: boolean } | undefined;
  return () => {
    if (kept !== undefined && (kept.isPending || performance.now() - kept.askedAtMs < forMs))
      return kept.answer;
    const asked = { answer: ask(), askedAtMs: performance.now(), isPending: true };
    kept = asked;
    asked.answer.then(
      () => (asked.isPending = false),
      () => (kept = undefined),
    );
    return asked.answer;
  };
}
