import type { Logger } from 'pino';
import type { BatcherClient } from '../contracts/batcher-client';
import type { RecordLimits } from '../edge/records';

export interface ApiKey {
  /** Who holds the key; stands as `by` with what is done by hand. */
  name: string;
  /** SHA-256 of the key, 64 hexadecimal digits: the key itself is never kept. */
  sha256: string;
}

/** Everything that the HTTP edge needs from outside. */
export interface HttpDeps {
  batcher: BatcherClient;
  limits: RecordLimits;
  /** Empty: everybody may call. Otherwise everything under `/v1` needs one of these keys. */
  apiKeys: readonly ApiKey[];
  logger: Logger;
  /** Where Temporal's Web UI is, for links. */
  webUiUrl?: string;
  /** Id of an accepted list; a random UUID by default. */
  newRequestId?: () => string;
  /** How long a stream of records may bring nothing while it is listened to. Default 30 s. */
  streamIdleMs?: number;
  /** Whether this process is about to stop: nothing new is taken, what runs is finished. */
  isDraining: () => boolean;
}
