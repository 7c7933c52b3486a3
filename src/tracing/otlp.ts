import { DiagLogLevel, diag } from '@opentelemetry/api';
import { BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Log } from '../contracts/log';
import { SECOND } from '../domain/duration';

/**
 * Sends spans to an OTLP receiver. Address, headers, time-outs, compression and the size of what is sent together are those of
 * the standard `OTEL_…` variables, which the SDK reads.
 */
export async function otlpProcessor(protocol: 'http/protobuf' | 'http/json'): Promise<SpanProcessor> {
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new BatchSpanProcessor(new OTLPTraceExporter());
}

const EVERY_MS = 10 * SECOND;
const MAX_REASON = 300;

/** Logs what OpenTelemetry fails at, such as a receiver that doesn't answer: at most one line in ten seconds. */
export function logProblems(logger: Log): void {
  let nextAtMs = -Infinity;
  const log = (message: string): void => {
    if (performance.now() < nextAtMs) return;
    nextAtMs = performance.now() + EVERY_MS;
    logger.warn({ reason: reasonIn(message) }, 'traces: OpenTelemetry reports a problem');
  };
  const ignore = (): void => undefined;
  diag.setLogger(
    { error: log, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
}

/** The SDK reports an error as JSON, with its stack trace. */
function reasonIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message.slice(0, MAX_REASON);
  } catch {
    // Not an error but a sentence.
  }
  return text.slice(0, MAX_REASON);
}
