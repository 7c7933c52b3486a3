import path from 'node:path';
import type { Client } from '@temporalio/client';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { EncryptionCodec } from './encryption-codec';
import type { KeyRing } from './key-ring';

/** Loaded by the SDK, in this process and in the workflow sandbox. */
export const FAILURE_CONVERTER_PATH = path.resolve(__dirname, '../../../workflows/failure-converter');

/**
 * How a client encodes what it sends.
 * @param keys encrypt everything; nothing is encrypted without
 * @param others codecs of an app, which get what is encrypted already
 */
export function dataConverterFor(
  keys: KeyRing | undefined,
  namespace: string,
  others: readonly PayloadCodec[] = [],
): DataConverter {
  if (keys === undefined) return { payloadCodecs: [...others] };
  return {
    payloadCodecs: [new EncryptionCodec(keys, namespace), ...others],
    failureConverterPath: FAILURE_CONVERTER_PATH,
  };
}

/** The same for workers that understand what this client sends. */
export function dataConverterOf(client: Client): DataConverter {
  return {
    payloadCodecs: client.options.loadedDataConverter.payloadCodecs,
    ...(keyRingOf(client) !== undefined && { failureConverterPath: FAILURE_CONVERTER_PATH }),
  };
}

/** The keys that a client encrypts with; undefined if it doesn't. */
export function keyRingOf(client: Client): KeyRing | undefined {
  return client.options.loadedDataConverter.payloadCodecs.find((codec) => codec instanceof EncryptionCodec)
    ?.keys;
}

/** Everything that a request id may be stored as in search attributes: itself, and hashed with each key. */
export function storedIdsOf(client: Client, requestId: string): string[] {
  return [requestId, ...(keyRingOf(client)?.hashesOf(requestId) ?? [])];
}
