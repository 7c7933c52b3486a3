import type { MetricRegistry } from './registry';

/**
 * Metrics of how soon Temporal deletes dead letters.
 * @param look returns the last known values at once; undefined if there are none yet
 */
export function expiryMetrics(
  registry: MetricRegistry,
  look: () => { oldestSeconds: number; retentionSeconds: number } | undefined,
): void {
  const oldest = registry.gauge('keepapart_dead_letters_oldest_age_seconds');
  const retention = registry.gauge('keepapart_temporal_retention_seconds');
  registry.beforeScrape(() => {
    const known = look();
    if (known === undefined) return;
    oldest.set(known.oldestSeconds);
    retention.set(known.retentionSeconds);
  });
}
