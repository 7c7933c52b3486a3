/** Which processes export a metric: all, those with an API, those with a worker; or APIs, on behalf of a batcher. */
export type Reporter = 'every' | 'api' | 'worker' | 'batcher';

export interface MetricEntry {
  type: 'counter' | 'gauge' | 'histogram';
  labels: readonly string[];
  from: Reporter;
  /** One sentence. */
  help: string;
  /** Upper bounds of a histogram's buckets. */
  buckets?: readonly number[];
}

const WAITS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const CALLS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * All of keepapart's own metrics, by name. A label holds one of a few fixed words, the number of a shard, or a rule of the
 * configuration; never an id, a key, a value, an error message, a path or a host.
 */
export const METRICS = {
  http_server_request_duration_seconds: {
    type: 'histogram',
    labels: ['http_request_method', 'http_route', 'http_response_status_code'],
    from: 'api',
    help: 'Duration of HTTP requests; without a route if the request was refused before its route was known.',
    buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10],
  },
  keepapart_http_refusals_total: {
    type: 'counter',
    labels: ['code'],
    from: 'api',
    help: 'Refused HTTP requests, by their code in docs/ERRORS.md.',
  },
  keepapart_records_received_total: {
    type: 'counter',
    labels: ['via'],
    from: 'api',
    help: 'Accepted records, by protocol: http, ndjson, tcp.',
  },
  keepapart_records_received_bytes_total: {
    type: 'counter',
    labels: ['via'],
    from: 'api',
    help: 'Bytes of the JSON of accepted records, uncompressed.',
  },
  keepapart_commit_requests: {
    type: 'histogram',
    labels: [],
    from: 'api',
    help: 'Requests per message to a batcher.',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
  },
  keepapart_commit_duration_seconds: {
    type: 'histogram',
    labels: [],
    from: 'api',
    help: 'Time until a message to a batcher is durable.',
    buckets: CALLS,
  },
  keepapart_record_wait_seconds: {
    type: 'histogram',
    labels: ['reason'],
    from: 'worker',
    help: 'Time from the acceptance of a record to the start of its batch, by flush reason; for records of closed batches.',
    buckets: WAITS,
  },
  keepapart_record_duration_seconds: {
    type: 'histogram',
    labels: ['outcome'],
    from: 'worker',
    help: 'Time from the acceptance of a record to the file with its outcome.',
    buckets: WAITS,
  },
  keepapart_outcomes_total: {
    type: 'counter',
    labels: ['outcome'],
    from: 'worker',
    help: 'Records with an outcome: saved, rolled_back.',
  },
  keepapart_save_attempt_duration_seconds: {
    type: 'histogram',
    labels: ['store', 'result'],
    from: 'worker',
    help: 'Duration of a save call of the store, by result: saved, failed, refused (permanently), or away (the store was unavailable). With several records in one call, the worst result counts.',
    buckets: CALLS,
  },
  keepapart_save_attempts: {
    type: 'histogram',
    labels: [],
    from: 'worker',
    help: 'Save attempts per record.',
    buckets: [1, 2, 3, 4, 5, 10, 20],
  },
  keepapart_batch_records: {
    type: 'histogram',
    labels: ['reason', 'state'],
    from: 'worker',
    help: 'Records per completed batch.',
    buckets: [1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500],
  },
  keepapart_batch_duration_seconds: {
    type: 'histogram',
    labels: ['reason', 'state'],
    from: 'worker',
    help: 'Time from the cut of a batch to its file.',
    buckets: WAITS,
  },
  keepapart_batches_total: {
    type: 'counter',
    labels: ['reason', 'state'],
    from: 'worker',
    help: 'Batches with a file (completed), and batches that ended in any other way and are then settled (failed). Settled batches are counted as completed too, in the end.',
  },
  keepapart_batch_places_total: {
    type: 'counter',
    labels: [],
    from: 'worker',
    help: 'Total capacity of the completed batches, in records, by the MAX_BATCH_SIZE in force for each.',
  },
  keepapart_batch_filled_places_total: {
    type: 'counter',
    labels: [],
    from: 'worker',
    help: 'Records in the completed batches.',
  },
  keepapart_undo_failures_total: {
    type: 'counter',
    labels: [],
    from: 'worker',
    help: 'Records whose rollback failed permanently: the store may still hold records that the file reports as rolled back.',
  },
  keepapart_batcher_up: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'Whether the batcher of a shard answers: 1, or 0 if no worker answers for it. Without an answer, the metrics below are absent.',
  },
  keepapart_batcher_buffered_records: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'Records in the buffer.',
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
    help: 'Bytes of JSON in the buffer.',
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
    help: 'Batches that have started and have no file yet.',
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
    help: 'Whether the shard is paused: 1 or 0.',
  },
  keepapart_batcher_pages: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: "Pages of the buffer, which are stored outside the batcher's state.",
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
    help: 'Age of the oldest buffered record; 0 if the buffer is empty.',
  },
  keepapart_batcher_oldest_due_age_seconds: {
    type: 'gauge',
    labels: ['shard'],
    from: 'batcher',
    help: 'How long the record that has been due for longest could have been flushed: due by age or manual flush, not paused, not kept apart from a batch in flight; 0 if none is due.',
  },
  keepapart_batcher_waiting_records: {
    type: 'gauge',
    labels: ['shard', 'for'],
    from: 'batcher',
    help: 'Buffered records, by what they wait for (docs/RULES.md); all beyond the first 1,000 count as older_records.',
  },
  keepapart_batcher_lower_bound_batches_total: {
    type: 'counter',
    labels: ['shard'],
    from: 'batcher',
    help: 'Lower bound on the number of batches for what was buffered at each cut.',
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
    help: 'Records that a rule kept out of an earlier batch; for the 100 rules that deferred the most.',
  },
  keepapart_rule_info: {
    type: 'gauge',
    labels: ['rule', 'text'],
    from: 'batcher',
    help: 'Always 1. Maps the eight hex digits of a rule to the configured rule.',
  },
  keepapart_batcher_accepted_total: {
    type: 'counter',
    labels: ['shard'],
    from: 'batcher',
    help: 'Records that the batcher accepted.',
  },
  keepapart_batcher_duplicate_requests_total: {
    type: 'counter',
    labels: ['shard'],
    from: 'batcher',
    help: 'Requests that added nothing, because their key was known.',
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
    help: 'Age of the oldest dead letter that was not redriven, since its batch closed; 0 if there is none. Updated every five minutes.',
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
    help: 'Always 1. The release, BUILD_ID, and the role of the process.',
  },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof METRICS;

/** The label names of a metric. */
export type LabelOf<Name extends MetricName> = (typeof METRICS)[Name]['labels'][number];

/** The metrics of a type. */
export type NameOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
