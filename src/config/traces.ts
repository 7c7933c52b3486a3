import { KeepapartError } from '../domain/errors';

/** The protocols that spans can be sent with. */
const OTLP_PROTOCOLS = ['http/protobuf', 'http/json'] as const;
export type OtlpProtocol = (typeof OTLP_PROTOCOLS)[number];

/**
 * Whether OpenTelemetry's standard variables ask for traces, and how to send them. They do if `OTEL_TRACES_EXPORTER` is
 * `otlp`, or if it is missing and there is an address to send to. All other variables are read by OpenTelemetry itself.
 * @returns undefined if traces are off
 * @throws `invalid-config` for an exporter or a protocol that keepapart doesn't have
 */
export function tracesFrom(
  env: Readonly<Record<string, string | undefined>>,
): { protocol: OtlpProtocol } | undefined {
  const first = (...names: string[]) =>
    names.map((name) => env[name]?.trim() ?? '').find((text) => text !== '');
  if (first('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  const endpoint = first('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT');
  const exporter = first('OTEL_TRACES_EXPORTER') ?? (endpoint === undefined ? 'none' : 'otlp');
  if (exporter === 'none') return undefined;
  if (exporter !== 'otlp') throw refusal('OTEL_TRACES_EXPORTER', 'otlp or none', exporter);
  const named =
    first('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL') ?? OTLP_PROTOCOLS[0];
  const protocol = OTLP_PROTOCOLS.find((known) => known === named);
  if (protocol === undefined)
    throw refusal('OTEL_EXPORTER_OTLP_PROTOCOL', OTLP_PROTOCOLS.join(' or '), named);
  return { protocol };
}

function refusal(field: string, expected: string, received: string): KeepapartError {
  return new KeepapartError('invalid-config', `${field} is ${received}; for traces, set it to ${expected}`, {
    problems: [{ field, expected, received }],
  });
}
