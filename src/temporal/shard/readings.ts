import { setTimeout as sleep } from 'node:timers/promises';
import type { KnownShard, ShardReading } from '../../contracts/workflow/readings';
import { SECOND } from '../../domain/duration';
import type { Shard } from './shard';

/** How long an answer counts as the state of a batcher that no longer answers. */
const STANDS_FOR_MS = 20 * SECOND;

/** What is known of a shard. Times are those of a monotonic clock. */
interface Known {
  answer: { reading: ShardReading; askedAtMs: number } | undefined;
  /** Pending while the batcher is being asked. */
  asking: Promise<void> | undefined;
  askedAtMs: number;
}

/**
 * The last answer of each batcher that this process has used, shared by all readers: regardless of their number, a batcher
 * is asked once per interval, one question at a time. Lists nothing in Temporal.
 * @param now milliseconds of a monotonic clock
 */
export class Readings {
  private readonly known = new Map<Shard, Known>();

  constructor(
    private readonly shards: { seen(): Shard[] },
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * What is known of each shard, in order of their numbers.
   * @param everyMs minimum time between two questions to a batcher
   * @param waitMs how long to wait for answers; later ones are for the next reader
   */
  async look({ everyMs, waitMs }: { everyMs: number; waitMs: number }): Promise<KnownShard[]> {
    const all = this.shards.seen();
    const waiting = new AbortController();
    const late = sleep(waitMs, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([Promise.all(all.map((shard) => this.ask(shard, everyMs))), late]);
    waiting.abort();
    return all.map((shard) => {
      const { answer } = this.of(shard);
      const stands = answer !== undefined && this.now() - answer.askedAtMs < STANDS_FOR_MS;
      return {
        shard: shard.shard,
        batcher: shard.batcher,
        reading: stands ? answer.reading : undefined,
      };
    });
  }

  private of(shard: Shard): Known {
    const known = this.known.get(shard) ?? { answer: undefined, asking: undefined, askedAtMs: -Infinity };
    this.known.set(shard, known);
    return known;
  }

  /** Asks the batcher, or joins the pending question. */
  private async ask(shard: Shard, everyMs: number): Promise<void> {
    const known = this.of(shard);
    if (known.asking === undefined && this.now() - known.askedAtMs >= everyMs) {
      const askedAtMs = this.now();
      known.askedAtMs = askedAtMs;
      known.asking = shard
        .read()
        .then((reading) => (known.answer = reading && { reading, askedAtMs }))
        // Readers see the failure in the age of the last answer.
        .then(undefined, () => undefined)
        .finally(() => (known.asking = undefined)) as Promise<void>;
    }
    await known.asking;
  }
}
