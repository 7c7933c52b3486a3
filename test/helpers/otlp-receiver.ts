import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { parse } from 'protobufjs';

/** A span as a backend sees it. */
export interface ReceivedSpan {
  /** `service.name` of its process. */
  service: unknown;
  traceId: string;
  spanId: string;
  /** Empty for the root of a trace. */
  parentSpanId: string;
  name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  startMs: number;
  endMs: number;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  droppedLinks: number;
  failed: boolean;
}

/** What of OTLP a test looks at. Field numbers are those of opentelemetry-proto 1. */
const PROTO = parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
    repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15;
  }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Status { int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`).root.lookupType('Request');

type AnyValue = Record<string, string | number | boolean>;
interface KeyValue {
  key: string;
  value: AnyValue;
}
interface RawSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: KeyValue[];
  links?: { traceId: string; spanId: string }[];
  droppedLinksCount?: number;
  status?: { code?: number };
}
interface RawRequest {
  resourceSpans?: { resource?: { attributes?: KeyValue[] }; scopeSpans?: { spans?: RawSpan[] }[] }[];
}

/** Where spans go to over OTLP/HTTP, in JSON or protobuf. */
export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  url: string;
  /** Everything received so far. */
  spans: ReceivedSpan[];
  /** Content types of the requests so far. */
  types: Set<string>;
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const types = new Set<string>();
  const server = createServer((req, res) => {
    void take(req).then((request) => {
      types.add(req.headers['content-type'] ?? '');
      spans.push(...spansIn(request));
      res.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    types,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function take(req: IncomingMessage): Promise<RawRequest> {
  const sent = await buffer(req);
  const body = req.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
  if (req.headers['content-type'] === 'application/json') return JSON.parse(body.toString()) as RawRequest;
  const request = PROTO.toObject(PROTO.decode(body), { longs: String, bytes: String }) as RawRequest;
  const hex = (id: string | undefined) => Buffer.from(id ?? '', 'base64').toString('hex');
  for (const { scopeSpans = [] } of request.resourceSpans ?? []) {
    for (const span of scopeSpans.flatMap((scope) => scope.spans ?? [])) {
      for (const one of [span, ...(span.links ?? [])]) {
        one.traceId = hex(one.traceId);
        one.spanId = hex(one.spanId);
      }
      span.parentSpanId = hex(span.parentSpanId);
    }
  }
  return request;
}

function spansIn({ resourceSpans = [] }: RawRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) =>
    scopeSpans
      .flatMap(({ spans = [] }) => spans)
      .map((span) => ({
        service: valuesOf(resource?.attributes)['service.name'],
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        kind: span.kind,
        startMs: Number(span.startTimeUnixNano) / 1e6,
        endMs: Number(span.endTimeUnixNano) / 1e6,
        attributes: valuesOf(span.attributes),
        links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
        droppedLinks: span.droppedLinksCount ?? 0,
        failed: span.status?.code === 2,
      })),
  );
}

function valuesOf(attributes: KeyValue[] = []): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[kind, content] = ['', undefined]] = Object.entries(value);
      return [key, kind === 'intValue' ? Number(content) : content];
    }),
  );
}
