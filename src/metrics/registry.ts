import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { METRICS, type LabelOf, type MetricEntry, type NameOf, type Reporter } from './catalogue';

/** Gauges of the library that are named like counters. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** Options that all metric types of the library share. */
interface Options<Label extends string> {
  name: string;
  help: string;
  labelNames: Label[];
  registers: Registry[];
}

/** The metrics of one process, in Prometheus' text format. */
export class MetricRegistry {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  private readonly registry = new Registry();
  private readonly refreshing: (() => Promise<void> | void)[] = [];
  private hasDefaults = false;

  counter<Name extends NameOf<'counter'>>(name: Name): Counter<LabelOf<Name>> {
    return new Counter<LabelOf<Name>>(this.options<LabelOf<Name>>(name));
  }

  gauge<Name extends NameOf<'gauge'>>(name: Name): Gauge<LabelOf<Name>> {
    return new Gauge<LabelOf<Name>>(this.options<LabelOf<Name>>(name));
  }

  histogram<Name extends NameOf<'histogram'>>(name: Name): Histogram<LabelOf<Name>> {
    const { buckets } = METRICS[name];
    return new Histogram<LabelOf<Name>>({ ...this.options<LabelOf<Name>>(name), buckets: [...buckets] });
  }

  /** Registers a function that runs before each scrape. */
  beforeScrape(refresh: () => Promise<void> | void): void {
    this.refreshing.push(refresh);
  }

  /** All metrics as text. Metrics of the process itself are collected from the first call on, so without scrapes they cost nothing. */
  async text(): Promise<string> {
    if (!this.hasDefaults) {
      this.hasDefaults = true;
      collectDefaultMetrics({ register: this.registry });
      for (const name of MISNAMED) this.registry.removeSingleMetric(name);
    }
    await Promise.all(this.refreshing.map(async (refresh) => refresh()));
    return this.registry.metrics();
  }

  private options<Label extends string>(name: keyof typeof METRICS): Options<Label> {
    const { help, labels }: MetricEntry = METRICS[name];
    return { name, help, labelNames: [...labels] as Label[], registers: [this.registry] };
  }
}

/** The rows of the table in docs/OBSERVABILITY.md, in the order of the catalogue. */
export function describeMetrics(): {
  name: string;
  type: string;
  labels: string;
  from: Reporter;
  help: string;
}[] {
  return Object.entries(METRICS as Record<string, MetricEntry>).map(
    ([name, { type, labels, from, help }]) => ({
      name,
      type,
      labels: labels.join(', '),
      from,
      help,
    }),
  );
}
