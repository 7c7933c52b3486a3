import { setTimeout as sleep } from 'node:timers/promises';
import type { KnownShard, ShardReading } from '../../contracts/workflow/readings';
import { SECOND } from '../../domain/duration';
import type { Shard } from './shard';

/** For how long an answer stands for the state of a batcher that doesn't answer any more. */
const STANDS_FOR_MS = 20 * SECOND;

/** What is known of a shard. Times are those of the clock that only goes forward. */
interface Known {
  answer: { reading: ShardReading; askedAtMs: number } | undefined;
  /** While the batcher is asked. */
  asking: Promise<void> | undefined;
  askedAtMs: number;
}

/**
 * The last answer of each batcher that this process has had to do with, for all who look on: however many they are, a
 * batcher is asked once in the time that they name, and one question at a time. Lists nothing from Temporal.
 * @param now milliseconds on any clock that only goes forward
 */
export class Readings {
  private readonly known = new Map<Shard, Known>();

  constructor(
    private readonly shards: { seen(): Shard[] },
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * What is known of each shard, by number.
   * @param everyMs how long ago a batcher must have been asked to be asked again
   * @param waitMs how long answers are waited for; what comes later is for the next who looks
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

  /** Asks the batcher, or joins the question that is on its way. */
  private async ask(shard: Shard, everyMs: number): Promise<void> {
    const known = this.of(shard);
    if (known.asking === undefined && this.now() - known.askedAtMs >= everyMs) {
      const askedAtMs = this.now();
      known.askedAtMs = askedAtMs;
      known.asking = shard
        .read()
        .then((reading) => (known.answer = reading && { reading, askedAtMs }))
        // Whoever looks is told by the age of the last answer.
        .then(undefined, () => undefined)
        .finally(() => (known.asking = undefined)) as Promise<void>;
    }
    await known.asking;
  }
}
