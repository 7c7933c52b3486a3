import { DAY, KIB, MIB, MINUTE } from '../domain/duration';
import { LIMIT_RANGES, MAX_SHARDS, MAX_WINDOW_KEYS } from '../domain/limits';
import { OUTCOME_FORMATS } from '../domain/outcome';
import { bytes, integer, oneOf, share, text } from './parse';
import { apiKeys, conflictRules } from './parse-lists';
import { setting, type Setting } from './setting';
import { STORE_SETTINGS } from './store-settings';

export type { Setting } from './setting';

/** Who may read what is created. */
export const FILE_ACCESS = ['owner', 'group', 'all'] as const;

/** How records are saved. */
export const SAVE_ACTIVITIES = ['auto', 'record', 'batch'] as const;

/** What becomes of a batch of which a record is exhausted. */
const ON_FAILURE = ['keep', 'rollback_batch'] as const;

/** Where the rules hold. */
const CONFLICT_SCOPES = ['file', 'running'] as const;

/** Whether workflows keep stack traces. */
const STACK_TRACES = ['off', 'on'] as const;

/** pino's levels, from all to nothing. */
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

const IN_PAGES =
  'What does not fit into 96 KiB is kept in pages outside the batcher when it continues as new, 256 KiB each';

/** Every setting, by its key in {@link Config}. The order is that of the documentation. */
export const SETTINGS = {
  httpHost: setting({
    parser: host(),
    default: '127.0.0.1',
    about: 'Address that the HTTP API listens on.',
    related: 'Anything but loopback (127.0.0.0/8, ::1, localhost) needs API_KEYS.',
  }),
  httpPort: setting({
    parser: port(),
    default: 3000,
    about: 'Port of the HTTP API; 0 picks a free one.',
    related: 'No two ports may be the same.',
  }),
  apiKeys: setting({
    parser: apiKeys(),
    default: [],
    about:
      'Who may use the HTTP API: a name, the SHA-256 of the key, and what it may do, for each. None: whoever reaches the port.',
    related: 'Needed for an HTTP_HOST other than loopback. Without rights, an entry has all of them.',
    show: (keys) => keys.map(({ name, rights }) => `${name}:${rights.join('+')}`),
  }),
  allowedHosts: setting({
    parser: text(
      'nothing, or host names in lower case separated by commas, without ports and spaces',
      /^([a-z0-9_.-]+(,[a-z0-9_.-]+)*)?$/,
    ),
    default: '',
    about:
      'Host names that requests may be for, beside addresses and localhost: those of a proxy in front of the API.',
    related:
      "With API_KEYS any name will do. Holds for the embedded server's Web UI too, with and without API_KEYS.",
  }),
  rateLimitPerSecond: setting({
    parser: integer(0, 100_000),
    default: 0,
    unit: 'requests',
    about:
      'Most requests under /v1 per second, and at once, of each API key; beyond it clients get 429. 0: no limit.',
    related: 'Without API_KEYS, of each client address. Each process with an API counts for itself.',
    raising: 'Raising it lets one client take a larger share of what Temporal and the store can do.',
  }),
  tlsCertFile: setting({
    parser: pathOrNothing(),
    default: '',
    about:
      'PEM file with the certificate of the HTTP API and those between it and the root; empty for plain HTTP.',
    related:
      'Needs TLS_KEY_FILE. Read again every ten seconds: a renewed one is taken over without a restart.',
  }),
  tlsKeyFile: setting({
    parser: pathOrNothing(),
    default: '',
    about: "PEM file with the certificate's private key, without a passphrase; empty for plain HTTP.",
    related: 'Needs TLS_CERT_FILE.',
  }),
  tcpPort: setting({
    parser: port(),
    default: 9999,
    about: 'Port of the TCP gateway for the old line protocol, on 127.0.0.1 alone; 0 turns it off.',
    related: 'It asks for no key, whatever API_KEYS says. No two ports may be the same.',
  }),
  temporalPort: setting({
    parser: port(),
    default: 7233,
    about: 'Port of the embedded Temporal server; 0 picks a free one.',
    related: 'No effect with TEMPORAL_ADDRESS, as then nothing is embedded. No two ports may be the same.',
  }),
  uiPort: setting({
    parser: port(),
    default: 8233,
    about: "Port of the embedded server's Web UI; 0 picks a free one.",
    related:
      'On 127.0.0.1 alone, behind a guard against pages of other origins; it asks for no key. No effect with TEMPORAL_ADDRESS, as then nothing is embedded. No two ports may be the same.',
  }),
  metricsHost: setting({
    parser: host(),
    default: '127.0.0.1',
    about: 'Address that METRICS_PORT is opened on.',
    related:
      'Whoever reaches it reads figures and names without a key, never a record; see OBSERVABILITY.md.',
  }),
  metricsPort: setting({
    parser: port(),
    default: 0,
    about: 'Port of /metrics, /healthz and /readyz of this process, whatever its role; 0 for none.',
    related: "With it a worker also tells Temporal's own metrics. No two ports may be the same.",
  }),
  dataDir: setting({
    parser: path(),
    default: './data',
    about: "Folder of the embedded server's database and of the records that wait for their batch's file.",
    related:
      'A relative path starts at the working directory. Workers on several hosts must share it, with STORE=file.',
  }),
  outDir: setting({
    parser: path(),
    default: './data/out',
    about: 'Folder of the batch files.',
    related:
      'Does not follow DATA_DIR: set both. Workers on several hosts must share it, or have their files gathered with STORE=postgres.',
  }),
  fileAccess: setting({
    parser: oneOf(...FILE_ACCESS),
    default: 'owner',
    about:
      'Who may read what keepapart creates in DATA_DIR and OUT_DIR: its own user alone, its group, or all.',
    related:
      "Temporal's database stays its own user's. Folders and files that are there keep their modes; the umask can take away more.",
  }),
  ...STORE_SETTINGS,
  taskQueue: setting({
    parser: name(),
    default: 'keepapart',
    about: 'Temporal task queue that connects clients and workers.',
    related: 'The same for every process of one installation.',
  }),
  batcherId: setting({
    parser: name(),
    default: 'batcher',
    about: 'First part of the ids of batchers and batches, and so of the names of batch files.',
    related: 'The same for every process of one installation; a new one starts with an empty buffer.',
  }),
  buildId: setting({
    parser: text(
      'nothing, or 1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit',
      /^([A-Za-z0-9][\w.-]{0,63})?$/,
    ),
    default: '',
    about: 'Which build of the workflow code this worker runs, for worker versioning; empty for none.',
    related:
      'Another one for every change of workflow code. A build gets work only when it is current: see "Changing code" in OPERATIONS.md.',
  }),
  deployment: setting({
    parser: text(
      '1 to 64 letters, digits, dashes and underscores, the first a letter or digit',
      /^[A-Za-z0-9][\w-]{0,63}$/,
    ),
    default: 'keepapart',
    about: "Name of the Worker Deployment in Temporal of which BUILD_ID's builds are versions.",
    related: 'One for each TASK_QUEUE. No effect without BUILD_ID, other than for `keepapart versions`.',
  }),
  shards: setting({
    parser: integer(1, MAX_SHARDS),
    default: 1,
    unit: 'batchers',
    about: 'Batchers side by side, each with a buffer of its own; a request goes to one of them whole.',
    related:
      'MAX_IN_FLIGHT, MAX_BUFFERED_RECORDS, MAX_BUFFERED_BYTES and BATCH_SPACING_MS count per shard. A change moves only later requests.',
    raising:
      'Raising it spreads records thinner: more partial batches, and order of age only within a shard.',
  }),
  maxBatchSize: setting({
    parser: integer(...LIMIT_RANGES.maxBatchSize),
    default: 5,
    unit: 'records',
    about: 'Most records of one batch and one file.',
    related: 'Each is a pending activity, of which Temporal allows 2,000 per workflow.',
    raising:
      'Raising it makes files later, as each waits for the slowest of its records, and histories longer.',
  }),
  conflicts: setting({
    parser: conflictRules(),
    default: [{ pair: [1, 2] }],
    about: 'Which records must never share a batch, as rules; [] for none.',
    related: "The rules travel in the batcher's state, hence the bound.",
    raising: 'More rules make more and smaller batches.',
  }),
  conflictScope: setting({
    parser: oneOf(...CONFLICT_SCOPES),
    default: 'file',
    about:
      'Where the rules hold: never in one file, or never in flight at the same time either (running), for a store that cannot take both at once.',
    related: 'running needs SHARDS=1. RULES.md says what it promises and costs.',
  }),
  apartMs: setting({
    parser: integer(0, DAY),
    default: 0,
    unit: 'ms',
    about: 'How long after the end of a batch nothing starts that conflicts with it.',
    related: 'No effect but with CONFLICT_SCOPE=running.',
    raising: 'Raising it makes records wait longer that conflict with each other.',
  }),
  flushIntervalMs: setting({
    parser: integer(...LIMIT_RANGES.flushIntervalMs),
    default: 1000,
    unit: 'ms',
    about: 'Age of the oldest record at which a batch goes although it is not full.',
    raising: 'Raising it makes batches fuller, but the records of a quiet hour wait longer.',
  }),
  batchSpacingMs: setting({
    parser: integer(...LIMIT_RANGES.batchSpacingMs),
    default: 0,
    unit: 'ms',
    about: 'Least time between two batch starts of one shard, for a slow store; 0 for none.',
    related: 'A shard then takes at most MAX_BATCH_SIZE records per spacing.',
    raising: 'Raising it costs throughput: what clients send beyond it fills the buffer, then they get 429.',
  }),
  maxInFlight: setting({
    parser: integer(...LIMIT_RANGES.maxInFlight),
    default: 2000,
    defaultIf: { key: 'saveActivity', is: 'record', default: 50 },
    unit: 'batches',
    about: 'Most batches of one shard at once, those that wait for their next attempt included.',
    related:
      'Default 50 with SAVE_ACTIVITY=record, where each is a child workflow, of which 1,000 run at most. A worker makes at most 400 saves at once, whatever is in flight.',
    raising: 'Raising it puts more load on the store; with record, 300 were slower than 50 on two cores.',
  }),
  maxAttempts: setting({
    parser: integer(...LIMIT_RANGES.maxAttempts),
    default: 3,
    unit: 'attempts',
    about: 'Most attempts to save one record before it is rolled back.',
    raising:
      'Raising it makes a record that keeps failing hold back the file of its batch, by RETRY_INTERVAL_MS each time.',
  }),
  onFailure: setting({
    parser: oneOf(...ON_FAILURE),
    default: 'keep',
    about:
      'What becomes of the other records of a batch when one is rolled back: kept, or rolled back as well.',
    related: 'With rollback_batch, MAX_BATCH_SIZE is how much one bad record can cost.',
  }),
  retryIntervalMs: setting({
    parser: integer(...LIMIT_RANGES.retryIntervalMs),
    default: 1000,
    unit: 'ms',
    about: 'Time between two attempts to save a record, always the same. Temporal refuses 0.',
    related: 'Matters from MAX_ATTEMPTS 2 on.',
    raising:
      'Raising it makes batches with a failing record take longer; each keeps its place of MAX_IN_FLIGHT.',
  }),
  saveActivity: setting({
    parser: oneOf(...SAVE_ACTIVITIES),
    default: 'auto',
    about:
      'How records are saved. record: a child workflow per batch, an activity per record, all of it in the Web UI. batch: many batches per child, saved together. auto: record while there is time, batch as soon as more is due than that can carry.',
    related:
      'Every guarantee holds in each; attempts and outcomes are those of single records. See TUNING.md.',
  }),
  saveFailureRate: setting({
    parser: share(),
    default: 0,
    unit: 'share of attempts',
    about: 'Save attempts that fail on purpose, for demonstrations and tests.',
    related: 'At 0.5 and MAX_ATTEMPTS 3, one record in eight is rolled back.',
    raising: 'Raising it rolls back records that could have been saved: leave it at 0 in production.',
  }),
  maxBufferedRecords: setting({
    parser: integer(1, 200_000),
    default: 10_000,
    unit: 'records',
    about: 'Most records in the buffer of one shard; beyond it clients get 429.',
    related:
      `${IN_PAGES}. Several API processes may pass it by an eighth each; while no worker answers, each counts only what ` +
      'itself sends, and a batcher takes 10,000 signals, whatever the bound.',
    raising: 'Raising it makes waits in a full buffer longer.',
  }),
  maxBufferedBytes: setting({
    parser: bytes(1, 32 * MIB),
    default: MIB,
    unit: 'bytes',
    about: 'Most bytes of JSON in the buffer of one shard; beyond it clients get 429.',
    related: `At least MAX_REQUEST_BYTES, so that every request fits an empty buffer. ${IN_PAGES}.`,
    raising: 'Raising it makes waits in a full buffer longer, and takes memory in the worker.',
  }),
  idempotencyWindowMs: setting({
    parser: integer(MINUTE, DAY),
    default: DAY,
    unit: 'ms',
    about: 'How long a shard remembers an Idempotency-Key, to the minute.',
    related: 'IDEMPOTENCY_WINDOW_KEYS may forget it sooner.',
    raising: 'Raising it makes the state that is handed over larger, by 43 bytes a key.',
  }),
  idempotencyWindowKeys: setting({
    parser: integer(0, MAX_WINDOW_KEYS),
    default: MAX_WINDOW_KEYS,
    unit: 'keys',
    about:
      'How many keys a shard remembers; the oldest of the API key with the most are forgotten first. 0 remembers none: repeats are taken again.',
    related: 'With IDEMPOTENCY_WINDOW_MS, the window of G5: whichever ends first. For more, raise SHARDS.',
    raising: 'Raising it makes the state that is handed over larger, by 43 bytes a key.',
  }),
  maxRecordBytes: setting({
    parser: bytes(1, MIB),
    default: 64 * KIB,
    unit: 'bytes',
    about: 'Largest record, as compact JSON in UTF-8; of NDJSON, the longest line.',
    related: 'At most MAX_REQUEST_BYTES.',
    raising: 'Raising it lets a single record take more of MAX_BUFFERED_BYTES.',
  }),
  maxRequestBytes: setting({
    parser: bytes(1, MIB),
    default: MIB,
    unit: 'bytes',
    about: 'Largest body of a request; NDJSON has no such limit.',
    related: 'At least MAX_RECORD_BYTES, at most MAX_BUFFERED_BYTES: a request is taken whole or not at all.',
    raising: 'Raising it costs memory in the API for each request that is being read.',
  }),
  outcomeFormat: setting({
    parser: oneOf(...OUTCOME_FORMATS),
    default: 'text',
    about: 'Form of the lines in batch files: a sentence, or an object with all that is known.',
  }),
  logLevel: setting({
    parser: oneOf(...LOG_LEVELS),
    default: 'info',
    about: 'Least severe log lines that are written.',
  }),
  stackTraces: setting({
    parser: oneOf(...STACK_TRACES),
    default: 'off',
    about:
      "Whether workflows keep stack traces: for the Web UI's call stack, and in errors of workflow code.",
    related:
      'Matters to workers alone. On, a worker takes up to a third more time for the same work: see TUNING.md.',
  }),
};

export type SettingKey = keyof typeof SETTINGS;

/** Every value in force, deeply frozen. What each one means, its unit and its bounds: see {@link SETTINGS}. */
export type Config = {
  readonly [Key in SettingKey]: (typeof SETTINGS)[Key] extends Setting<infer T> ? T : never;
};

export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];
