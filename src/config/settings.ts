import { DAY, KIB, MIB, MINUTE, SECOND } from '../domain/duration';
import { LIMIT_RANGES, MAX_SHARDS, MAX_WINDOW_KEYS } from '../domain/limits';
import { OUTCOME_FORMATS } from '../domain/records/outcome';
import { LEAST_SLOW_MS } from '../domain/records/trace-context';
import { bytes, integer, oneOf, share, text } from './parse';
import { apiKeys, conflictRules, savesPerSecond } from './parse-lists';
import { encryptionKeys } from './encryption-keys';
import { setting, type Setting } from './setting';
import { STORE_SETTINGS } from './store-settings';

export type { Setting } from './setting';

/** Who may read what keepapart creates. */
export const FILE_ACCESS = ['owner', 'group', 'all'] as const;

/** How records are saved. */
export const SAVE_ACTIVITIES = ['auto', 'record', 'batch'] as const;

/** What happens to a batch when one of its records is exhausted. */
const ON_FAILURE = ['keep', 'rollback_batch'] as const;

/** Where the rules apply. */
const CONFLICT_SCOPES = ['file', 'running'] as const;

/** Whether workflows keep stack traces. */
const STACK_TRACES = ['off', 'on'] as const;

/** pino's levels, from everything to nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const port = () => integer(0, 65_535);
const path = () => text('a path', /^[^\0]+$/);
const pathOrNothing = () => text('nothing, or a path', /^[^\0]*$/);
const name = () =>
  text(
    '1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit',
    /^[A-Za-z0-9][\w.-]{0,63}$/,
  );
const host = () =>
  text(
    'a host name or IP address, without port',
    /^([A-Za-z0-9][A-Za-z0-9.-]*|[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/,
  );

const origins = () =>
  text(
    'nothing, none, or origins separated by commas, each as browsers send it: http:// or https://, a host in lower case, and a port unless it is the usual one',
    /^(|none|https?:\/\/[a-z0-9.[\]:-]+(,https?:\/\/[a-z0-9.[\]:-]+)*)$/,
  );

const IN_PAGES =
  'At continue-as-new, everything beyond 96 KiB is kept in pages of 256 KiB outside the batcher';

/** Every setting, by its key in {@link Config}, in the order of the documentation. */
export const SETTINGS = {
  httpHost: setting({
    parser: host(),
    default: '127.0.0.1',
    about: 'Address the HTTP API listens on.',
    related: 'An address other than loopback (127.0.0.0/8, ::1, localhost) requires API_KEYS.',
  }),
  httpPort: setting({
    parser: port(),
    default: 3000,
    about: 'Port of the HTTP API; 0 picks a free one.',
    related: 'All ports must be different.',
  }),
  apiKeys: setting({
    parser: apiKeys(),
    default: [],
    about:
      'Who may use the HTTP API: for each key a name, its SHA-256 hash, and its rights. If empty, anyone who can reach the port may use it.',
    related: 'Required for an HTTP_HOST other than loopback. An entry without rights has all of them.',
    show: (keys) => keys.map(({ name, rights }) => `${name}:${rights.join('+')}`),
  }),
  allowedHosts: setting({
    parser: text(
      'nothing, or host names in lower case separated by commas, without ports and spaces',
      /^([a-z0-9_.-]+(,[a-z0-9_.-]+)*)?$/,
    ),
    default: '',
    about:
      'Host names that requests may use, besides addresses and localhost, for example those of a proxy in front of the API.',
    related:
      "With API_KEYS, any name is accepted. Also applies to the embedded server's Web UI, with and without API_KEYS.",
  }),
  rateLimitPerSecond: setting({
    parser: integer(0, 100_000),
    default: 0,
    unit: 'requests',
    about:
      'Maximum requests under /v1 per second, and in one burst, for each API key; further requests get 429. 0 means no limit.',
    related:
      'Without API_KEYS, it applies to each client address. Each process with an API counts separately.',
    raising: 'Raising it lets one client use a larger share of the capacity of Temporal and the store.',
  }),
  tlsCertFile: setting({
    parser: pathOrNothing(),
    default: '',
    about:
      "PEM file with the HTTP API's certificate and its intermediate certificates; empty for plain HTTP.",
    related: 'Requires TLS_KEY_FILE. Read again every ten seconds, so renewing it needs no restart.',
  }),
  tlsKeyFile: setting({
    parser: pathOrNothing(),
    default: '',
    about: "PEM file with the certificate's private key, without a passphrase; empty for plain HTTP.",
    related: 'Requires TLS_CERT_FILE.',
  }),
  encryptionKeys: setting({
    parser: encryptionKeys(),
    default: [],
    about:
      'Keys that everything keepapart sends to Temporal is encrypted with, each with an id; empty for no encryption.',
    related:
      'The first encrypts, all decrypt. The same for every process, see ENCRYPTION.md. Set it in the environment rather than as a flag.',
    show: (keys) => keys.map(({ id }) => id),
  }),
  encryptionKeysFile: setting({
    parser: pathOrNothing(),
    default: '',
    about: 'File with the encryption keys, as in ENCRYPTION_KEYS, separated by commas or lines.',
    related: 'Instead of ENCRYPTION_KEYS. Read again every ten seconds, so changing keys needs no restart.',
  }),
  codecOrigins: setting({
    parser: origins(),
    default: '',
    about:
      "Turns on /codec/decode and /codec/encode, with which Temporal's Web UI and command line show what is encrypted: origins of pages that may call them, separated by commas, or none; empty for no such routes.",
    related: 'Requires ENCRYPTION_KEYS or ENCRYPTION_KEYS_FILE. With API_KEYS, callers need the right read.',
  }),
  tcpPort: setting({
    parser: port(),
    default: 9999,
    about: 'Port of the TCP gateway for the old line protocol, only on 127.0.0.1; 0 turns it off.',
    related: 'It never requires a key, regardless of API_KEYS. All ports must be different.',
  }),
  temporalPort: setting({
    parser: port(),
    default: 7233,
    about: 'Port of the embedded Temporal server; 0 picks a free one.',
    related:
      'No effect with TEMPORAL_ADDRESS, because then no server is embedded. All ports must be different.',
  }),
  uiPort: setting({
    parser: port(),
    default: 8233,
    about: "Port of the embedded server's Web UI; 0 picks a free one.",
    related:
      'Only on 127.0.0.1, behind a guard against pages of other origins; it requires no key. No effect with TEMPORAL_ADDRESS, because then no server is embedded. All ports must be different.',
  }),
  metricsHost: setting({
    parser: host(),
    default: '127.0.0.1',
    about: 'Address that METRICS_PORT listens on.',
    related:
      'Anyone who can reach it can read numbers and names without a key, but never a record; see OBSERVABILITY.md.',
  }),
  metricsPort: setting({
    parser: port(),
    default: 0,
    about: 'Port for /metrics, /healthz and /readyz of this process, in any role; 0 for none.',
    related: "With it, a worker also exposes Temporal's own metrics. All ports must be different.",
  }),
  dataDir: setting({
    parser: path(),
    default: './data',
    about:
      "Folder for the embedded server's database, and for saved records that are waiting for their batch's file.",
    related:
      'Relative paths start at the working directory. With STORE=file, workers on several hosts must share it.',
  }),
  outDir: setting({
    parser: path(),
    default: './data/out',
    about: 'Folder for the batch files.',
    related:
      'Independent of DATA_DIR: set both. Workers on several hosts must share it; with STORE=postgres, you can collect their files instead.',
  }),
  fileAccess: setting({
    parser: oneOf(...FILE_ACCESS),
    default: 'owner',
    about:
      'Who may read what keepapart creates in DATA_DIR and OUT_DIR: only its own user, its group, or everyone.',
    related:
      "Temporal's database is always readable only by its own user. Existing folders and files keep their modes; the umask may restrict further.",
  }),
  ...STORE_SETTINGS,
  taskQueue: setting({
    parser: name(),
    default: 'keepapart',
    about: 'Temporal task queue shared by clients and workers.',
    related: 'The same for every process of one installation.',
  }),
  batcherId: setting({
    parser: name(),
    default: 'batcher',
    about: 'Prefix of the ids of batchers and batches, and so part of the names of batch files.',
    related: 'The same for every process of one installation. A new value starts with an empty buffer.',
  }),
  buildId: setting({
    parser: text(
      'nothing, or 1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit',
      /^([A-Za-z0-9][\w.-]{0,63})?$/,
    ),
    default: '',
    about:
      'Build of the workflow code that this worker runs, for worker versioning; empty for no versioning.',
    related:
      'Use a new value for every change of workflow code. A build gets work only when it is current: see UPGRADES.md.',
  }),
  deployment: setting({
    parser: text(
      '1 to 64 letters, digits, dashes and underscores, the first a letter or digit',
      /^[A-Za-z0-9][\w-]{0,63}$/,
    ),
    default: 'keepapart',
    about: 'Name of the Worker Deployment in Temporal; the builds in BUILD_ID are its versions.',
    related: 'One for each TASK_QUEUE. Without BUILD_ID, only `keepapart versions` uses it.',
  }),
  shards: setting({
    parser: integer(1, MAX_SHARDS),
    default: 1,
    unit: 'batchers',
    about: 'Number of batchers, each with its own buffer; a request goes to exactly one of them.',
    related:
      'MAX_IN_FLIGHT, MAX_BUFFERED_RECORDS, MAX_BUFFERED_BYTES, BATCH_SPACING_MS and MAX_SAVES_PER_SECOND apply per shard. A change affects only later requests.',
    raising: 'Raising it causes more partial batches, and records are ordered by age only within a shard.',
  }),
  maxBatchSize: setting({
    parser: integer(...LIMIT_RANGES.maxBatchSize),
    default: 5,
    unit: 'records',
    about: 'Maximum records in one batch and one file.',
    related: 'Each record is a pending activity, and Temporal allows 2,000 per workflow.',
    raising:
      'Raising it delays files, because each waits for its slowest record, and makes histories longer.',
  }),
  conflicts: setting({
    parser: conflictRules(),
    default: [{ pair: [1, 2] }],
    about: 'Rules for which records must never share a batch; [] for none.',
    related: "The size is limited because the rules are part of the batcher's state.",
    raising: 'More rules cause more and smaller batches.',
  }),
  conflictScope: setting({
    parser: oneOf(...CONFLICT_SCOPES),
    default: 'file',
    about:
      "Where the rules apply: conflicting records are never in one file (file), or also never in flight at the same time (running), for a store that can't process both at once.",
    related: 'running requires SHARDS=1. RULES.md explains what it guarantees and costs.',
  }),
  apartMs: setting({
    parser: integer(0, DAY),
    default: 0,
    unit: 'ms',
    about: 'Time after the end of a batch during which nothing that conflicts with it starts.',
    related: 'Only used with CONFLICT_SCOPE=running.',
    raising: 'Raising it makes conflicting records wait longer.',
  }),
  flushIntervalMs: setting({
    parser: integer(...LIMIT_RANGES.flushIntervalMs),
    default: 1000,
    unit: 'ms',
    about: 'Age of its oldest record at which a partial batch is flushed.',
    raising: 'Raising it makes batches fuller, but records wait longer when little arrives.',
  }),
  batchSpacingMs: setting({
    parser: integer(...LIMIT_RANGES.batchSpacingMs),
    default: 0,
    unit: 'ms',
    about: 'Minimum time between two batch starts of one shard, for a slow store; 0 for none.',
    related: 'A shard then processes at most MAX_BATCH_SIZE records per interval.',
    raising:
      'Raising it reduces throughput: what clients send beyond it fills the buffer, and then they get 429.',
  }),
  maxSavesPerSecond: setting({
    parser: savesPerSecond(),
    default: 0,
    unit: 'records',
    about:
      'Maximum records of one shard that start being saved per second; 0 for no limit. As a JSON list, also for each value of a part of the records: [{"perSecond":100},{"at":"/tenant","perSecond":10}].',
    related:
      'Each record counts once, when its batch starts; further attempts (MAX_ATTEMPTS) are not counted. A batch has at most as many records as may start in a second. TUNING.md explains how large a burst may be.',
    raising: 'Raising it puts more load on the store.',
  }),
  maxInFlight: setting({
    parser: integer(...LIMIT_RANGES.maxInFlight),
    default: 2000,
    defaultIf: { key: 'saveActivity', is: 'record', default: 50 },
    unit: 'batches',
    about: 'Maximum batches of one shard in flight, including those waiting for their next attempt.',
    related:
      'The default is 50 with SAVE_ACTIVITY=record, where each batch is a child workflow, and at most 1,000 run. A worker makes at most 400 saves at once, regardless of this setting.',
    raising: 'Raising it puts more load on the store. With record, 300 was slower than 50 on two cores.',
  }),
  maxAttempts: setting({
    parser: integer(...LIMIT_RANGES.maxAttempts),
    default: 3,
    unit: 'attempts',
    about: 'Maximum attempts to save one record before it is rolled back.',
    raising:
      "Raising it lets a record that keeps failing delay its batch's file longer, by RETRY_INTERVAL_MS per attempt.",
  }),
  onFailure: setting({
    parser: oneOf(...ON_FAILURE),
    default: 'keep',
    about:
      'What happens to the other records of a batch when one is rolled back: they are kept, or rolled back too.',
    related: 'With rollback_batch, one bad record can cost MAX_BATCH_SIZE records.',
  }),
  retryIntervalMs: setting({
    parser: integer(...LIMIT_RANGES.retryIntervalMs),
    default: 1000,
    unit: 'ms',
    about: "Time between two attempts to save a record, without backoff. Temporal doesn't accept 0.",
    related: 'Only used if MAX_ATTEMPTS is at least 2.',
    raising:
      'Raising it makes batches with a failing record take longer, and each occupies one of MAX_IN_FLIGHT.',
  }),
  saveActivity: setting({
    parser: oneOf(...SAVE_ACTIVITIES),
    default: 'auto',
    about:
      'How records are saved. record: a child workflow per batch and an activity per record, all visible in the Web UI. batch: many batches per child, saved together. auto: record, or batch when more is due than record can process.',
    related:
      'Every guarantee holds with each value, and attempts and outcomes are always per record. See TUNING.md.',
  }),
  saveFailureRate: setting({
    parser: share(),
    default: 0,
    unit: 'share of attempts',
    about: 'Share of save attempts that fail on purpose, for demonstrations and tests.',
    related: 'With 0.5 and MAX_ATTEMPTS 3, one record in eight is rolled back.',
    raising: 'Raising it rolls back records that could have been saved. Keep it at 0 in production.',
  }),
  maxBufferedRecords: setting({
    parser: integer(1, 200_000),
    default: 10_000,
    unit: 'records',
    about: 'Maximum records in the buffer of one shard; beyond it, clients get 429.',
    related:
      `${IN_PAGES}. Several API processes may exceed it by an eighth each. While no worker answers, each counts only what it ` +
      'sends itself, and a batcher accepts 10,000 signals at most.',
    raising: 'Raising it makes records wait longer in a full buffer.',
  }),
  maxBufferedBytes: setting({
    parser: bytes(1, 32 * MIB),
    default: MIB,
    unit: 'bytes',
    about: 'Maximum bytes of JSON in the buffer of one shard; beyond it, clients get 429.',
    related: `At least MAX_REQUEST_BYTES, so that every request fits an empty buffer. ${IN_PAGES}.`,
    raising: 'Raising it makes records wait longer in a full buffer, and uses memory in the worker.',
  }),
  idempotencyWindowMs: setting({
    parser: integer(MINUTE, DAY),
    default: DAY,
    unit: 'ms',
    about: 'How long a shard remembers an Idempotency-Key, to the nearest minute.',
    related: 'IDEMPOTENCY_WINDOW_KEYS may make it forget sooner.',
    raising: 'Raising it makes the state carried at continue-as-new larger, by 43 bytes per key.',
  }),
  idempotencyWindowKeys: setting({
    parser: integer(0, MAX_WINDOW_KEYS),
    default: MAX_WINDOW_KEYS,
    unit: 'keys',
    about:
      'How many Idempotency-Keys a shard remembers. It forgets the oldest of the API key that has the most. 0 remembers none, so repeated requests are accepted again.',
    related:
      'Together with IDEMPOTENCY_WINDOW_MS it is the window of G5; whichever ends first applies. For more keys, raise SHARDS.',
    raising: 'Raising it makes the state carried at continue-as-new larger, by 43 bytes per key.',
  }),
  maxRecordBytes: setting({
    parser: bytes(1, MIB),
    default: 64 * KIB,
    unit: 'bytes',
    about: 'Maximum size of a record as compact JSON in UTF-8, and of an NDJSON line.',
    related: 'At most MAX_REQUEST_BYTES.',
    raising: 'Raising it lets a single record use more of MAX_BUFFERED_BYTES.',
  }),
  maxRequestBytes: setting({
    parser: bytes(1, MIB),
    default: MIB,
    unit: 'bytes',
    about: 'Maximum size of a request body; NDJSON streams have no such limit.',
    related:
      'At least MAX_RECORD_BYTES, at most MAX_BUFFERED_BYTES: a request is accepted completely or not at all.',
    raising: 'Raising it uses memory in the API for each request that is being read.',
  }),
  outcomeFormat: setting({
    parser: oneOf(...OUTCOME_FORMATS),
    default: 'text',
    about: 'Format of the lines in batch files: a sentence (text), or an object with all details (json).',
  }),
  logLevel: setting({
    parser: oneOf(...LOG_LEVELS),
    default: 'info',
    about: 'Minimum severity of the log lines that are written.',
  }),
  traceSlowMs: setting({
    parser: integer(LEAST_SLOW_MS, DAY),
    default: 10 * SECOND,
    unit: 'ms',
    about:
      'Duration from which on a batch has a trace although none of its requests is sampled, from its start to its file.',
    raising: 'Raising it leaves more slow batches without a trace.',
    related: 'Only used with traces, which OTEL_TRACES_EXPORTER=otlp turns on; see OBSERVABILITY.md.',
  }),
  stackTraces: setting({
    parser: oneOf(...STACK_TRACES),
    default: 'off',
    about:
      "Whether workflows keep stack traces, for the Web UI's call stack and for errors in workflow code.",
    related:
      'Only used by workers. With on, a worker needs up to a third more time for the same work: see TUNING.md.',
  }),
};

export type SettingKey = keyof typeof SETTINGS;

/** Every value in force, deeply frozen. For meaning, unit and bounds of each one see {@link SETTINGS}. */
export type Config = {
  readonly [Key in SettingKey]: (typeof SETTINGS)[Key] extends Setting<infer T> ? T : never;
};

export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];
