import type {
  CommitInstruments,
  EndedRequest,
  HttpInstruments,
  IntakeInstruments,
} from '../contracts/instruments';
import { VIA } from '../contracts/instruments';
import type { MetricRegistry } from './registry';

/** HTTP methods of our routes; all others are counted as one. */
const METHODS = ['GET', 'HEAD', 'POST', 'PATCH'];

/**
 * Maximum combinations of method, route and status: far more than well-behaved clients cause, and few enough that a client
 * that tries them all doesn't fill Prometheus' memory. Further ones are counted without the three labels.
 */
const MAX_COMBINATIONS = 60;

/** The metrics of a process with an API. */
export function apiMetrics(
  registry: MetricRegistry,
): HttpInstruments & IntakeInstruments & CommitInstruments {
  const duration = registry.histogram('http_server_request_duration_seconds');
  const refusals = registry.counter('keepapart_http_refusals_total');
  const records = registry.counter('keepapart_records_received_total');
  const bytes = registry.counter('keepapart_records_received_bytes_total');
  const commitRequests = registry.histogram('keepapart_commit_requests');
  const commitDuration = registry.histogram('keepapart_commit_duration_seconds');
  for (const via of Object.values(VIA)) {
    records.inc({ via }, 0);
    bytes.inc({ via }, 0);
  }

  const combinations = new Map<string, ReturnType<typeof duration.labels>>();
  const others = () => duration.labels('_OTHER', '', '');
  function childFor({ method, route = '', status }: EndedRequest): ReturnType<typeof duration.labels> {
    const known = METHODS.includes(method) ? method : '_OTHER';
    const key = `${known} ${status} ${route}`;
    const child = combinations.get(key);
    if (child !== undefined) return child;
    if (combinations.size >= MAX_COMBINATIONS) return others();
    const made = duration.labels(known, route, String(status));
    combinations.set(key, made);
    return made;
  }

  return {
    requestEnded: (request) => childFor(request).observe(request.seconds),
    refused: (code) => refusals.inc({ code }),
    received(via, count, size) {
      records.inc({ via }, count);
      bytes.inc({ via }, size);
    },
    committed(requests, seconds) {
      commitRequests.observe(requests);
      commitDuration.observe(seconds);
    },
  };
}
