import type { KnownShard, ShardReading } from '../contracts/workflow/readings';
import { WAITS_FOR } from '../contracts/workflow/waits';
import type { ConflictRule } from '../domain/rules';
import { ruleKey } from '../domain/rules/rule';
import { SECOND } from '../domain/duration';
import { fnv1a } from '../domain/fnv1a';
import { cutToBytes } from '../domain/records/outcome';
import type { MetricRegistry } from './registry';

/** Maximum length of a rule in a label; rules with thousands of values are cut. */
const MAX_RULE_BYTES = 200;

/** The bounds that this API enforces for each shard's buffer. */
interface BufferBounds {
  maxBufferedRecords: number;
  maxBufferedBytes: number;
}

/**
 * The metrics that batchers report about themselves. Every API exports the same values for a shard, so queries use the
 * maximum.
 * @param look returns what is known of each shard, within the time that a scrape may take
 */
export function batcherMetrics(
  registry: MetricRegistry,
  bounds: BufferBounds,
  look: () => Promise<readonly KnownShard[]>,
): void {
  const up = registry.gauge('keepapart_batcher_up');
  const recordsLimit = registry.gauge('keepapart_batcher_buffered_records_limit');
  const bytesLimit = registry.gauge('keepapart_batcher_buffered_bytes_limit');
  const gauges = {
    keepapart_batcher_buffered_records: ({ status }) => status.bufferedRecords,
    keepapart_batcher_buffered_bytes: ({ status }) => status.bufferedBytes,
    keepapart_batcher_in_flight: ({ status }) => status.inFlight,
    keepapart_batcher_in_flight_limit: ({ status }) => status.settings.maxInFlight,
    keepapart_batcher_paused: ({ status }) => (status.paused === null ? 0 : 1),
    keepapart_batcher_pages: ({ status }) => status.pages,
    keepapart_batcher_history_bytes: ({ status }) => status.run.historyBytes,
    keepapart_batcher_history_events: ({ status }) => status.run.historyEvents,
    keepapart_batcher_oldest_age_seconds: ({ status, atMs }) => secondsSince(status.oldestAcceptedAtMs, atMs),
    keepapart_batcher_oldest_due_age_seconds: ({ status, atMs }) => secondsSince(status.oldestDueAtMs, atMs),
    keepapart_batcher_unaccounted_records: ({ status }) => status.unaccounted,
  } as const satisfies Record<string, (reading: ShardReading) => number>;
  const counters = {
    keepapart_batcher_lower_bound_batches_total: ({ status: { cuts } }) => cuts.batches - cuts.beyondBound,
    keepapart_batcher_cut_batches_total: ({ status: { cuts } }) => cuts.batches,
    keepapart_batcher_accepted_total: ({ status }) => status.counters.accepted,
    keepapart_batcher_duplicate_requests_total: ({ status }) => status.counters.duplicateRequests,
    keepapart_batcher_continued_as_new_total: ({ status }) => status.run.continuedAsNew,
  } as const satisfies Record<string, (reading: ShardReading) => number>;
  const ofShard = [
    ...namesOf(gauges).map((name) => ({ metric: registry.gauge(name), value: gauges[name] })),
    ...namesOf(counters).map((name) => ({ metric: registry.counter(name), value: counters[name] })),
  ];
  const waiting = registry.gauge('keepapart_batcher_waiting_records');
  const deferred = registry.counter('keepapart_batcher_deferred_records_total');
  const rules = registry.gauge('keepapart_rule_info');

  registry.beforeScrape(async () => {
    const shards = await look();
    for (const metric of [up, waiting, deferred, rules, ...ofShard.map(({ metric }) => metric)])
      metric.reset();
    for (const { shard: number, reading } of shards) {
      const shard = String(number);
      up.set({ shard }, reading === undefined ? 0 : 1);
      recordsLimit.set({ shard }, bounds.maxBufferedRecords);
      bytesLimit.set({ shard }, bounds.maxBufferedBytes);
      if (reading === undefined) continue;
      // The counters were reset to 0, so this sets them.
      for (const { metric, value } of ofShard) metric.inc({ shard }, value(reading));
      const counts = new Map(reading.waits.counts.map((count) => [count.for, count.records]));
      for (const reason of Object.values(WAITS_FOR))
        waiting.set({ shard, for: reason }, counts.get(reason) ?? 0);
      for (const { rule, records } of reading.status.cuts.deferredBy) {
        const id = ruleIdOf(rule);
        deferred.inc({ shard, rule: id }, records);
        rules.set({ rule: id, text: cutToBytes(JSON.stringify(rule), MAX_RULE_BYTES) }, 1);
      }
    }
  });
}

/** The id of a rule in labels: eight hex digits. */
export function ruleIdOf(rule: ConflictRule): string {
  return fnv1a(ruleKey(rule)).toString(16).padStart(8, '0');
}

function secondsSince(sinceMs: number | null, nowMs: number): number {
  return sinceMs === null ? 0 : Math.max(0, nowMs - sinceMs) / SECOND;
}

function namesOf<Name extends string>(values: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(values) as Name[];
}
