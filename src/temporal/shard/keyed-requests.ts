import type { AcceptedRequest, TakeAnswer } from '../../contracts/workflow/batcher';
import type { RecordStream } from '../../contracts/batcher-client';
import { shardOf } from '../../contracts/workflow/ids';
import { MINUTE } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import type { JsonValue } from '../../domain/json';
import type { KeyRef } from '../../domain/windows/key-window';
import {
  NO_LAYOUT,
  isSameLayout,
  mergeLayouts,
  nextLayout,
  reachOf,
  type Layout,
} from '../../domain/windows/layout';
import type { StreamProgress } from '../../domain/windows/stream-window';
import type { Load } from './admission';
import { digestOf, keyRefOf } from './digests';
import { openRecordStream, reused } from './record-stream';
import type { Shard } from './shard';

/** While there were other numbers of shards before, it is asked again after this whether any are still remembered. */
const ASK_AGAIN_MS = 10 * MINUTE;

/** Processes that start at the same time agree in a few rounds. */
const MAX_ROUNDS = 10;

interface Place {
  shard: Shard;
  /** Of the layout by which it was chosen. */
  version: number;
}

/**
 * Requests with a key, of all shards: each is taken once, also when `SHARDS` changes (G5). Usually its shard is known
 * and one call takes it. For as long as keys of an earlier number of shards are remembered, the shards that may have the
 * key are asked first.
 */
export class KeyedRequests {
  private layout: Layout | undefined;
  /** Until when it may be used, on the clock of `performance.now`. */
  private validUntilMs = -Infinity;
  private joining: Promise<Layout> | undefined;

  /** @param configured how many shards this process is configured with */
  constructor(
    private readonly shardAt: (shard: number) => Shard,
    private readonly configured: number,
  ) {}

  /** Takes a list. See `BatcherClient.addRecords`. */
  async addRecords(requestId: string, values: JsonValue[]): Promise<void> {
    const digest = digestOf({ requestId, values });
    const taken = await this.take(requestId, digest, ({ shard, version }) =>
      shard.take({ requestId, values, digest, layout: version }),
    );
    // Null: forgotten already, as the window holds few keys.
    if (taken.body == null || taken.body === digest.body) return;
    throw reused(requestId, 'nothing was taken');
  }

  /** Takes a stream. See `BatcherClient.openStream`. */
  async openStream(requestId: string, stillWanted: () => boolean): Promise<RecordStream> {
    const key = keyRefOf(requestId);
    let place = await this.placeOf(requestId, key);
    const send = async (request: AcceptedRequest, load: Load): Promise<StreamProgress | null> => {
      const takeAt = (at: Place): Promise<TakeAnswer> => {
        place = at;
        return at.shard.takePart({ ...request, layout: at.version }, load, stillWanted);
      };
      return (await this.take(requestId, key, takeAt, place)).stream ?? null;
    };
    const progress = (): Promise<StreamProgress | null> => place.shard.streamProgress(requestId);
    return openRecordStream({ send, progress }, place.shard.partBounds, requestId, key);
  }

  /** The shard that a key's request goes to where none knows it yet. */
  async homeOf(requestId: string): Promise<Shard> {
    const { shards } = await this.inForce();
    return this.shardAt(shardOf(requestId, shards));
  }

  /** Has it taken by the right shard, and again by another if that turns out not to be right any more. */
  private async take(
    requestId: string,
    key: KeyRef,
    takeAt: (place: Place) => Promise<TakeAnswer>,
    first?: Place,
  ): Promise<TakeAnswer> {
    for (let place = first ?? (await this.placeOf(requestId, key)); ;) {
      const answer = await takeAt(place);
      if (answer.isOutdated !== true) return answer;
      if (this.layout?.version === place.version) this.validUntilMs = -Infinity;
      place = await this.placeOf(requestId, key);
    }
  }

  /** The shard that knows a key, or else the one that it belongs to. */
  private async placeOf(requestId: string, key: KeyRef): Promise<Place> {
    const { version, shards, before } = await this.inForce();
    const home = this.shardAt(shardOf(requestId, shards));
    const others = new Set(before.map(([count]) => this.shardAt(shardOf(requestId, count))));
    others.delete(home);
    const asked = await Promise.all(
      [...others].map(async (shard) => ({ shard, knows: await shard.knows(key) })),
    );
    return { shard: asked.find(({ knows }) => knows)?.shard ?? home, version };
  }

  private inForce(): Promise<Layout> {
    if (this.layout !== undefined && performance.now() < this.validUntilMs)
      return Promise.resolve(this.layout);
    this.joining ??= this.join().finally(() => (this.joining = undefined));
    return this.joining;
  }

  /** Agrees with all batchers that may have keys on a layout; from then on they take nothing under an older one. */
  private async join(): Promise<Layout> {
    let layout = this.layout ?? (await this.firstLayout());
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const told = layout;
      const answers = await Promise.all(
        Array.from({ length: reachOf(told) }, (_, shard) => this.shardAt(shard).tellLayout(told)),
      );
      layout = answers.reduce(mergeLayouts);
      if (!answers.every((answer) => isSameLayout(answer, told))) continue;
      this.layout = layout;
      this.validUntilMs = layout.before.length > 0 ? performance.now() + ASK_AGAIN_MS : Infinity;
      return layout;
    }
    throw new KeepapartError(
      'temporal-unavailable',
      'The shards do not agree yet on where keys belong, as SHARDS is being changed',
    );
  }

  /** That of a process that has just started: the number of shards that it is configured with is to be in force. */
  private async firstLayout(): Promise<Layout> {
    const shards = Array.from({ length: this.configured }, (_, shard) => this.shardAt(shard));
    const found = await Promise.all(shards.map((shard) => shard.layout()));
    return nextLayout(found.reduce(mergeLayouts, NO_LAYOUT), this.configured);
  }
}
