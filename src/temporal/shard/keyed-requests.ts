import type { AcceptedRequest, TakeAnswer } from '../../contracts/workflow/batcher';
import type { NewRequest, RecordStream } from '../../contracts/batcher-client';
import { shardOf } from '../../contracts/workflow/ids';
import { MINUTE } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import type { KeyRef } from '../../domain/windows/key-window';
import {
  NO_LAYOUT,
  isSameLayout,
  mergeLayouts,
  nextLayout,
  rankOf,
  shardsWithKeys,
  type Layout,
} from '../../domain/windows/layout';
import { withTrace } from '../../domain/records/trace-context';
import type { StreamProgress } from '../../domain/windows/stream-window';
import { loadOf, type Load } from './load';
import { digestOf, keyRefOf } from './digests';
import { openRecordStream, reused } from './record-stream';
import type { NewStream, Shard } from './shard';

/** While keys of an earlier number of shards may be remembered, how often to check whether that is still so. */
const ASK_AGAIN_MS = 10 * MINUTE;

/** Processes that start at the same time agree within a few rounds. */
const MAX_ROUNDS = 10;

interface Place {
  shard: Shard;
  /** Rank of the layout that it was chosen with. */
  rank: number;
}

/**
 * Requests with a key, across all shards: each is accepted once, even if `SHARDS` changes (G5). Usually the shard of a key
 * is known and one call is enough. While keys from an earlier number of shards are remembered, the shards that may know
 * the key are asked first.
 */
export class KeyedRequests {
  private layout: Layout | undefined;
  /** Until when the layout may be used, on the clock of `performance.now`. */
  private validUntilMs = -Infinity;
  private joining: Promise<Layout> | undefined;

  /**
   * @param configured number of shards that this process is configured with
   * @param open every shard with an open batcher
   */
  constructor(
    private readonly shardAt: (shard: number) => Shard,
    private readonly configured: number,
    private readonly open: () => Promise<Shard[]>,
  ) {}

  /** Accepts a list. See `BatcherClient.addRecords`. */
  async addRecords({ bytes, ...request }: NewRequest): Promise<void> {
    const { requestId, values } = request;
    const load = loadOf(values, bytes);
    const digest = digestOf({ requestId, values });
    const taken = await this.take(requestId, digest, ({ shard, rank }) =>
      shard.take({ ...request, digest, layout: rank }, load),
    );
    // Null: already forgotten, because the window holds few keys.
    if (taken.body == null || taken.body === digest.body) return;
    throw reused(requestId, 'nothing was accepted');
  }

  /** Accepts a stream. See `BatcherClient.openStream`. */
  async openStream(requestId: string, { stillWanted, trace }: NewStream): Promise<RecordStream> {
    const key = keyRefOf(requestId);
    let place = await this.placeOf(requestId, key);
    const send = async (request: AcceptedRequest, load: Load): Promise<StreamProgress | null> => {
      const takeAt = (at: Place): Promise<TakeAnswer> => {
        place = at;
        const part = { ...request, layout: at.rank, ...withTrace(trace) };
        return at.shard.takePart(part, load, stillWanted);
      };
      return (await this.take(requestId, key, takeAt, place)).stream ?? null;
    };
    const progress = (): Promise<StreamProgress | null> => place.shard.streamProgress(requestId);
    return openRecordStream({ send, progress }, place.shard.partBounds, requestId, key);
  }

  /** The shard of a key's request if no shard knows it yet. */
  async homeOf(requestId: string): Promise<Shard> {
    const { shards } = await this.inForce();
    return this.shardAt(shardOf(requestId, shards));
  }

  /** Sends a request to its shard, and to another one if the layout changed meanwhile. */
  private async take(
    requestId: string,
    key: KeyRef,
    takeAt: (place: Place) => Promise<TakeAnswer>,
    first?: Place,
  ): Promise<TakeAnswer> {
    for (let place = first ?? (await this.placeOf(requestId, key)); ;) {
      const answer = await takeAt(place);
      if (answer.isNotYet === true) {
        // It answers this as soon as it knows.
        await place.shard.layout();
        continue;
      }
      if (answer.isOutdated !== true) return answer;
      if (this.layout !== undefined && rankOf(this.layout) === place.rank) this.validUntilMs = -Infinity;
      place = await this.placeOf(requestId, key);
    }
  }

  /** The shard that knows a key, or else the one it belongs to. */
  private async placeOf(requestId: string, key: KeyRef): Promise<Place> {
    const layout = await this.inForce();
    const { shards, before } = layout;
    const home = this.shardAt(shardOf(requestId, shards));
    const others = new Set(before.map(([count]) => this.shardAt(shardOf(requestId, count))));
    others.delete(home);
    const asked = await Promise.all(
      [...others].map(async (shard) => ({ shard, knows: await shard.knows(key) })),
    );
    return { shard: asked.find(({ knows }) => knows)?.shard ?? home, rank: rankOf(layout) };
  }

  private inForce(): Promise<Layout> {
    if (this.layout !== undefined && performance.now() < this.validUntilMs)
      return Promise.resolve(this.layout);
    this.joining ??= this.join().finally(() => (this.joining = undefined));
    return this.joining;
  }

  /** Agrees on a layout with all batchers that may know keys. From then on they accept nothing under an older one. */
  private async join(): Promise<Layout> {
    let layout = this.layout ?? (await this.firstLayout());
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const proposed = layout;
      const answers = await Promise.all(
        Array.from({ length: shardsWithKeys(proposed) }, (_, shard) =>
          this.shardAt(shard).adoptLayout(proposed),
        ),
      );
      layout = answers.reduce(mergeLayouts);
      if (!answers.every((answer) => isSameLayout(answer, proposed))) continue;
      this.layout = layout;
      this.validUntilMs = layout.before.length > 0 ? performance.now() + ASK_AGAIN_MS : Infinity;
      return layout;
    }
    throw new KeepapartError(
      'temporal-unavailable',
      'The shards do not agree yet on which shard each key belongs to, because SHARDS is being changed',
    );
  }

  /** The layout of a process that has just started: its configured number of shards comes into force. */
  private async firstLayout(): Promise<Layout> {
    const configured = Array.from({ length: this.configured }, (_, shard) => this.shardAt(shard));
    let found = await layoutOf(configured);
    // None of them knows of a request with a key. Others may, if these were deleted.
    if (found.version === NO_LAYOUT.version)
      found = await layoutOf((await this.open()).filter((shard) => !configured.includes(shard)));
    return nextLayout(found, this.configured, Date.now());
  }
}

async function layoutOf(shards: readonly Shard[]): Promise<Layout> {
  const known = await Promise.all(shards.map((shard) => shard.layout()));
  return known.reduce(mergeLayouts, NO_LAYOUT);
}
