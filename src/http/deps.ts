import type { IncomingMessage } from 'node:http';
import type { BatcherClient } from '../contracts/batcher-client';
import type { HttpInstruments, IntakeInstruments } from '../contracts/instruments';
import type { Log } from '../contracts/log';
import type { ProcessFigures } from '../contracts/api/live';
import type { Right } from '../domain/rights';
import type { RecordLimits } from '../edge/records';

export interface ApiKey {
  /** Who holds the key; stands as `by` with what is done by hand. */
  name: string;
  /** SHA-256 of the key, 64 hexadecimal digits: the key itself is never kept. */
  sha256: string;
  /** What its holder may do. */
  rights: readonly Right[];
}

/** Who calls, as an app that has checked it by itself says. */
export interface Caller {
  /** 1 to 32 letters, digits, `_` and `-`: kept with what they do, and separates their Idempotency-Keys from others'. */
  name: string;
  /** What they may do. */
  rights: readonly Right[];
}

/** The metrics of a process, in Prometheus' text format. */
export interface Metrics {
  contentType: string;
  text(): Promise<string>;
}

/** Everything that the HTTP edge needs from outside. */
export interface HttpDeps {
  /** Of this release, for the description of the API. */
  version: string;
  /** Folder of what the page at `/docs` loads. */
  docsAssets: string;
  /** Folder of the dashboard as it was built. */
  uiAssets: string;
  batcher: BatcherClient;
  limits: RecordLimits;
  /** Empty: everybody may do everything. Otherwise each call under `/v1` needs a key with the right that it names. */
  apiKeys: readonly ApiKey[];
  /** Instead of keys: who calls, or undefined for nobody who may. Called for each request under `/v1`. */
  authorize?: (req: IncomingMessage) => Caller | undefined;
  /** Host names that requests may be for beside addresses and localhost, where there are no keys. None by default. */
  allowedHosts?: readonly string[];
  /** Requests per second under `/v1`, of each key or, without keys, each address; 0, the default, is no limit. */
  rateLimitPerSecond?: number;
  /** Whether clients come by TLS; then browsers are told to come by nothing else. False by default. */
  tls?: boolean;
  logger: Log;
  /** Who measures. Nobody by default. */
  instruments?: HttpInstruments & IntakeInstruments;
  /** What `GET /metrics` answers; without it there is none. */
  metrics?: Metrics;
  /** What this process has measured since the last call, for `GET /v1/events`. */
  figures?: () => ProcessFigures;
  /** How many clients may receive events at once. Default 64. */
  maxViewers?: number;
  /** Where Temporal's Web UI is, for links. */
  webUiUrl?: string;
  /** Id of an accepted list; a random UUID by default. */
  newRequestId?: () => string;
  /** How long a stream of records may bring nothing while it is listened to. Default 30 s. */
  streamIdleMs?: number;
  /** Whether this process is about to stop: nothing new is taken, what runs is finished. */
  isDraining: () => boolean;
}
