import type { Client } from '@temporalio/client';
import { MINUTE, SECOND } from '../../domain/duration';
import { callTemporal } from '../server/calls';
import type { DeadLetterReader } from './dead-letters';
import type { KnownRedrives } from './known-redrives';

/** How often Temporal is asked. */
const EVERY_MS = 5 * MINUTE;

/** The retention period is searched from its end in this many parts, which limits the accuracy of the age. */
const PARTS = 16;

/** Pages read in one part. Dead letters that were already redriven are skipped in pages of this many batches. */
const MAX_PAGES = 10;
const BATCHES_PER_PAGE = 50;

export interface Expiry {
  /** How long the namespace keeps closed workflows. */
  retentionSeconds: number;
  /** Age of the oldest dead letter that was not redriven; 0 if there is none. */
  oldestSeconds: number;
}

/**
 * How soon Temporal deletes a dead letter, for callers that poll and can't wait: determined in the background, on demand,
 * at most every five minutes.
 */
export class DeadLetterExpiry {
  private known: Expiry | undefined;
  private askedAtMs = -Infinity;

  constructor(
    private readonly client: Client,
    private readonly letters: Pick<DeadLetterReader, 'page'>,
    private readonly redrives: Pick<KnownRedrives, 'among'>,
  ) {}

  /** The last result; undefined before the first one, or if Temporal doesn't report the retention period. */
  look(): Expiry | undefined {
    if (performance.now() - this.askedAtMs >= EVERY_MS) {
      this.askedAtMs = performance.now();
      // Without a worker nobody knows what was redriven, so the last result stays.
      this.find().then(
        (found) => (this.known = found),
        () => undefined,
      );
    }
    return this.known;
  }

  private async find(): Promise<Expiry | undefined> {
    const { namespace } = this.client.options;
    const { config } = await callTemporal(this.client, 'could not read the retention', () =>
      this.client.workflowService.describeNamespace({ namespace }),
    );
    const retentionSeconds = config?.workflowExecutionRetentionTtl?.seconds?.toNumber();
    if (retentionSeconds === undefined) return undefined;
    const nowMs = Date.now();
    const partMs = (retentionSeconds * SECOND) / PARTS;
    for (let part = PARTS; part >= 0; part--) {
      const beforeMs = nowMs - part * partMs;
      // Workflows older than the retention period are still listed for a while.
      const fromMs = part === PARTS ? 0 : beforeMs - partMs;
      const atMs = await this.oldestIn([fromMs, beforeMs]);
      if (atMs !== undefined) return { retentionSeconds, oldestSeconds: Math.max(0, nowMs - atMs) / SECOND };
    }
    return { retentionSeconds, oldestSeconds: 0 };
  }

  private async oldestIn(closed: [number, number]): Promise<number | undefined> {
    let cursor: string | null = null;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const page: Awaited<ReturnType<DeadLetterReader['page']>> = await this.letters.page({
        limit: BATCHES_PER_PAGE,
        closed,
        ...(cursor !== null && { cursor }),
      });
      const sentAgain = await this.redrives.among(page.letters);
      const open = page.letters.filter(({ redriveId }) => !sentAgain.has(redriveId));
      if (open.length > 0) return Math.min(...open.map(({ atMs }) => atMs));
      cursor = page.nextCursor;
      if (cursor === null) return undefined;
    }
    return undefined;
  }
}
