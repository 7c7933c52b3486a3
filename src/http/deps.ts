import type { Logger } from 'pino';
import type { BatcherClient } from '../contracts/batcher-client';

/** Bounds on what one client may send at once; see the settings of the same names in `docs/CONFIGURATION.md`. */
export interface HttpLimits {
  /** Of one record, as compact JSON in UTF-8. */
  maxRecordBytes: number;
  /** Of one body after decompression, and of its records written as compact JSON again. */
  maxRequestBytes: number;
  /** Records in one list. */
  maxRequestRecords: number;
}

export interface ApiKey {
  /** Who holds the key; stands as `by` with what is done by hand. */
  name: string;
  /** SHA-256 of the key, 64 hexadecimal digits: the key itself is never kept. */
  sha256: string;
}

/** Everything that the HTTP edge needs from outside. */
export interface HttpDeps {
  batcher: BatcherClient;
  limits: HttpLimits;
  /** Empty: everybody may call. Otherwise everything under `/v1` needs one of these keys. */
  apiKeys: readonly ApiKey[];
  logger: Logger;
  /** Where Temporal's Web UI is, for links. */
  webUiUrl?: string;
  /** Id of an accepted list; a random UUID by default. */
  newRequestId?: () => string;
  /** Whether this process is about to stop: nothing new is taken, what runs is finished. */
  isDraining: () => boolean;
}
