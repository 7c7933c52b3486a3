import type { MetricRegistry } from './registry';

/**
 * How soon Temporal forgets dead letters.
 * @param look what is known, at once; undefined while nothing is
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
