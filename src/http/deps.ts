import type { IncomingMessage } from 'node:http';
import type { BatcherClient } from '../contracts/batcher-client';
import type { HttpInstruments, IntakeInstruments } from '../contracts/instruments';
import type { Log } from '../contracts/log';
import type { PayloadCoder } from '../contracts/payload-coder';
import type { RequestTracing } from '../contracts/tracing';
import type { ProcessFigures } from '../contracts/api/live';
import type { Right } from '../domain/rights';
import type { RecordLimits } from '../edge/records';

export interface ApiKey {
  /** The key's holder; recorded as `by` with manual operations. */
  name: string;
  /** SHA-256 of the key, 64 hexadecimal digits: the key itself is never kept. */
  sha256: string;
  /** The rights of its holder. */
  rights: readonly Right[];
}

/** The caller, as identified by the app that embeds keepapart. */
export interface Caller {
  /**
   * 1 to 32 letters, digits, `_` and `-`. Recorded with the caller's actions; keeps their Idempotency-Keys apart from
   * others'.
   */
  name: string;
  /** Their rights. */
  rights: readonly Right[];
}

/** The metrics of a process, in Prometheus' text format. */
export interface Metrics {
  contentType: string;
  text(): Promise<string>;
}

/** Everything that the HTTP edge needs from outside. */
export interface HttpDeps {
  /** Version of this release, for the description of the API. */
  version: string;
  /** Folder of the files that the page at `/docs` loads. */
  docsAssets: string;
  /** Folder of the built dashboard. */
  uiAssets: string;
  batcher: BatcherClient;
  limits: RecordLimits;
  /** If empty, everybody has all rights. Otherwise each call under `/v1` needs a key with the right that it names. */
  apiKeys: readonly ApiKey[];
  /**
   * Identifies the caller instead of keys; undefined if there is none with access. Called for each request under `/v1`.
   */
  authorize?: (req: IncomingMessage) => Caller | undefined;
  /** Accepted host names besides addresses and localhost, if there are no keys. Default: none. */
  allowedHosts?: readonly string[];
  /** Maximum requests per second under `/v1` for each key or, without keys, each address. Default 0: no limit. */
  rateLimitPerSecond?: number;
  /** Whether clients use TLS; browsers are then told to use nothing else. Default false. */
  tls?: boolean;
  logger: Log;
  /** Receives measurements. Default: none. */
  instruments?: HttpInstruments & IntakeInstruments;
  /** Creates spans for requests with records. Default: none. */
  tracing?: RequestTracing | undefined;
  /** Served at `GET /metrics`; without it, that path doesn't exist. */
  metrics?: Metrics;
  /** What this process has measured since the last call, for `GET /v1/events`. */
  figures?: () => ProcessFigures;
  /** How many clients may receive events at once. Default 64. */
  maxViewers?: number;
  /** Serves `/codec`, to pages of these origins and to clients that are no pages. Default: there is no `/codec`. */
  codec?: { origins: readonly string[]; coder: PayloadCoder } | undefined;
  /** Where Temporal's Web UI is, for links. */
  webUiUrl?: string;
  /** Whether the dashboard offers its first example with saves that fail. Default: no. */
  failingExample?: boolean;
  /** Id of an accepted list; a random UUID by default. */
  newRequestId?: () => string;
  /** How long a stream may stay silent while it is being read. Default 30 s. */
  streamIdleMs?: number;
  /** Whether this process is shutting down: it accepts nothing new and finishes what is under way. */
  isDraining: () => boolean;
}
