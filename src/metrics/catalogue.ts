/** What reports a metric: every process, one with an API, one with a worker; or the API, of what a batcher says of itself. */
export type Reporter = 'every' | 'api' | 'worker' | 'batcher';

export interface MetricEntry {
  type: 'counter' | 'gauge' | 'histogram';
  labels: readonly string[];
  from: Reporter;
  /** One sentence. */
  help: string;
  /** Of a histogram: upper bounds. */
  buckets?: readonly number[];
}

const WAITS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const CALLS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * Every metric of keepapart's own, by its name. A label holds one of a few words that are known beforehand, the number of
 * a shard, or a rule of the configuration; never an id, a key, a value, the text of an error, a path or a host.
 */
export const METRICS = {
  http_server_request_duration_seconds: {
    type: 'histogram',
    labels: ['http_request_method', 'http_route', 'http_response_status_code'],
    from: 'api',
    help: 'How long HTTP requests take; without a route where one was refused before its route was known.',
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10],
  },
  keepapart_http_refusals_total: {
    type: 'counter',
    labels: ['code'],
    from: 'api',
    help: 'HTTP requests that were refused, by the code in docs/ERRORS.md.',
  },
  keepapart_records_received_total: {
    type: 'counter',
    labels: ['via'],
    from: 'api',
    help: 'Records that were taken, by the way they came: http, ndjson, tcp.',
  },
  keepapart_records_received_bytes_total: {
    type: 'counter',
    labels: ['via'],
    from: 'api',
    help: 'Bytes of the JSON in which they came, without compression.',
  },
  keepapart_commit_requests: {
    type: 'histogram',
    labels: [],
    from: 'api',
    help: 'Requests that went to a batcher in one message.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
  },
  keepapart_commit_duration_seconds: {
    type: 'histogram',
    labels: [],
    from: 'api',
    help: 'How long a message to a batcher takes to be durable.',
    buckets: CALLS,
  },
  keepapart_record_wait_seconds: {
    type: 'histogram',
    labels: ['reason'],
    from: 'worker',
    help: 'How long records of closed batches had waited from their acceptance to the start of their batch, by why it was flushed.',
    buckets: WAITS,
  },
  keepapart_record_duration_seconds: {
    type: 'histogram',
    labels: ['outcome'],
    from: 'worker',
    help: 'How long records took from their acceptance to the file with their outcome.',
    buckets: WAITS,
  },
  keepapart_outcomes_total: {
    type: 'counter',
    labels: ['outcome'],
    from: 'worker',
    help: 'Records that reached an outcome: saved, rolled_back.',
  },
  keepapart_save_attempt_duration_seconds: {
    type: 'histogram',
    labels: ['store', 'result'],
    from: 'worker',
    help: 'How long the store takes for a call that saves, and how the call ended: saved, failed, refused for good, or the store was away; of many records in one call, the worst.',
    buckets: CALLS,
  },
  keepapart_save_attempts: {
    type: 'histogram',
    labels: [],
    from: 'worker',
    help: 'Attempts that a record took.',
    buckets: [1, 2, 3, 4, 5, 10, 20],
  },
  keepapart_batch_records: {
    type: 'histogram',
    labels: ['reason', 'state'],
    from: 'worker',
    help: 'Records of a batch that got its file.',
    buckets: [1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500],
  },
  keepapart_batch_duration_seconds: {
    type: 'histogram',
    labels: ['reason', 'state'],
    from: 'worker',
    help: 'How long batches take from their cut to their file.',
    buckets: WAITS,
  },
  keepapart_batches_total: {
    type: 'counter',
    labels: ['reason', 'state'],
    from: 'worker',
    help: 'Batches that got their file (completed), and those that ended in any other way and are settled (failed): these complete, too, in the end.',
  },
  keepapart_batch_places_total: {
    type: 'counter',
    labels: [],
    from: 'worker',
    help: 'Records that the completed batches could have held, each by the size in force then.',
  },
  keepapart_batch_filled_places_total: {
    type: 'counter',
    labels: [],
    from: 'worker',
    help: 'Records that they held.',
  },
  keepapart_undo_failures_total: {
    type: 'counter',
    labels: [],
    from: 'worker',
    help: 'Records whose rollback failed for good: the store may hold what the file calls rolled back.',
  },
  keepapart_batcher_up: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'Whether the batcher of a shard answers: 1, or 0 when no worker answers for it. Without an answer the figures below are left out.',
  },
  keepapart_batcher_buffered_records: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'Records that wait for their batch.',
  },
  keepapart_batcher_buffered_records_limit: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'MAX_BUFFERED_RECORDS of this API.',
  },
  keepapart_batcher_buffered_bytes: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'Bytes of their JSON.',
  },
  keepapart_batcher_buffered_bytes_limit: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'MAX_BUFFERED_BYTES of this API.',
  },
  keepapart_batcher_in_flight: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'Batches that have started and have no file.',
  },
  keepapart_batcher_in_flight_limit: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'MAX_IN_FLIGHT in force.',
  },
  keepapart_batcher_paused: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'Whether somebody has paused the shard.',
  },
  keepapart_batcher_pages: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'Stretches of the buffer that wait outside the state of the batcher.',
  },
  keepapart_batcher_history_bytes: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: "Size of the current run's history.",
  },
  keepapart_batcher_history_events: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: "Events in the current run's history.",
  },
  keepapart_batcher_oldest_age_seconds: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'How long ago the oldest buffered record was accepted; 0 when none is buffered.',
  },
  keepapart_batcher_oldest_due_age_seconds: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'For how long the record that has been due for longest might have gone: by age or by hand, not paused, not held apart from what is in flight; 0 when none is due.',
  },
  keepapart_batcher_waiting_records: {
    type: 'gauge',
    labels: ['shard', 'for'],
    from: 'batcher',
    help: 'What buffered records wait for (docs/RULES.md); of those behind the first 1,000, older_records.',
  },
  keepapart_batcher_lower_bound_batches_total: {
    type: 'counter',
    labels: ['shard'],
    from: 'batcher',
    help: 'Batches that no cut could have done without, of what was buffered each time.',
  },
  keepapart_batcher_cut_batches_total: {
    type: 'counter',
    labels: ['shard'],
    from: 'batcher',
    help: 'Batches that were cut.',
  },
  keepapart_batcher_deferred_records_total: {
    type: 'counter',
    labels: ['shard', 'rule'],
    from: 'batcher',
    help: 'Records that a rule kept out of a batch that left before them; the 100 rules that deferred the most.',
  },
  keepapart_rule_info: {
    type: 'gauge',
    labels: ['rule', 'text'],
    from: 'batcher',
    help: 'Always 1: the rule of which the eight hex digits are, as it is configured.',
  },
  keepapart_batcher_accepted_total: {
    type: 'counter',
    labels: ['shard'],
    from: 'batcher',
    help: 'Records that the batcher has taken.',
  },
  keepapart_batcher_duplicate_requests_total: {
    type: 'counter',
    labels: ['shard'],
    from: 'batcher',
    help: 'Requests that added nothing, as their key was known.',
  },
  keepapart_batcher_continued_as_new_total: {
    type: 'counter',
    labels: ['shard'],
    from: 'batcher',
    help: 'How often the batcher has continued as new.',
  },
  keepapart_batcher_unaccounted_records: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'accepted - saved - rolled back - lost - buffered - in flight: 0, or there is a bug.',
  },
  keepapart_dead_letters_oldest_age_seconds: {
    type: 'gauge',
    labels: [],
    from: 'api',
    help: 'How long ago the batch closed that has the oldest dead letter that was not sent again; 0 when there is none. Looked for every five minutes.',
  },
  keepapart_temporal_retention_seconds: {
    type: 'gauge',
    labels: [],
    from: 'api',
    help: 'How long the namespace keeps closed workflows, and with them dead letters.',
  },
  keepapart_build_info: {
    type: 'gauge',
    labels: ['version', 'build', 'role'],
    from: 'every',
    help: 'Always 1: the release, BUILD_ID, and what the process was started as.',
  },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof METRICS;

/** The label names of a metric. */
export type LabelOf<Name extends MetricName> = (typeof METRICS)[Name]['labels'][number];

/** The metrics of a type. */
export type NameOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
