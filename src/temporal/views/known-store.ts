import { SECOND } from '../../domain/duration';
import type { StatusView } from '../../contracts/api/answers/status';

/** How old an answer may be before the batchers are asked again, and before it expires. */
const ASK_EVERY_MS = 10 * SECOND;
const KNOWN_FOR_MS = 60 * SECOND;

/**
 * Whether the store is unavailable, for callers that poll and can't wait, such as probes. The batchers are asked in the
 * background, at most every ten seconds; callers get the previous answer.
 */
export class KnownStore {
  private known: { sinceMs: number | null; atMs: number } | undefined;
  private askedAtMs = -Infinity;

  constructor(
    private readonly ask: () => Promise<StatusView>,
    private readonly now: () => number = Date.now,
  ) {}

  /** When the store became unavailable, ISO 8601, UTC; null while it works, as far as is known. */
  awaySince(): string | null {
    if (this.now() - this.askedAtMs >= ASK_EVERY_MS) this.refresh();
    const { sinceMs = null, atMs = 0 } = this.known ?? {};
    return sinceMs === null || this.now() - atMs > KNOWN_FOR_MS ? null : new Date(sinceMs).toISOString();
  }

  private refresh(): void {
    this.askedAtMs = this.now();
    // Without a worker nobody answers, and nothing is known.
    this.ask().then(
      ({ shards }) => {
        const times = shards.flatMap(({ storeAway }) =>
          storeAway === null ? [] : [Date.parse(storeAway.since)],
        );
        this.known = { sinceMs: times.length === 0 ? null : Math.min(...times), atMs: this.now() };
      },
      () => undefined,
    );
  }
}
