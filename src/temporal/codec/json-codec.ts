import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { decode, encode } from '@temporalio/common/lib/internal-non-workflow';
import type { JsonPayload, PayloadCoder } from '../../contracts/payload-coder';

/** What encodes and decodes payloads as this client does, in the JSON of Temporal's own tools. */
export function payloadCoderOf(client: Client): PayloadCoder {
  const { loadedDataConverter, namespace } = client.options;
  const { payloadCodecs } = loadedDataConverter;
  return {
    namespace,
    encode: async (payloads) => (await encode(payloadCodecs, payloads.map(fromJson))).map(toJson),
    decode: async (payloads) => (await decode(payloadCodecs, payloads.map(fromJson))).map(toJson),
  };
}

function fromJson({ metadata = {}, data = '' }: JsonPayload): Payload {
  const entries = Object.entries(metadata).map(([name, value]) => [name, bytesOf(value)] as const);
  return { metadata: Object.fromEntries(entries), data: bytesOf(data) };
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}

function toJson({ metadata, data }: Payload): JsonPayload {
  const entries = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)] as const);
  return { metadata: Object.fromEntries(entries), data: base64(data ?? new Uint8Array()) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
