import { jsonBytes, type JsonValue } from '../../domain/json';

/** Records that one or more requests add to a buffer. Bytes are the sum of {@link jsonBytes} of the values. */
export interface Load {
  records: number;
  bytes: number;
}

/** @param bytes the sum of the sizes of the values, if it is known already */
export function loadOf(values: readonly JsonValue[], bytes = sizeOf(values)): Load {
  return { records: values.length, bytes };
}

function sizeOf(values: readonly JsonValue[]): number {
  return values.reduce<number>((sum, value) => sum + jsonBytes(value), 0);
}

export const NOTHING: Load = { records: 0, bytes: 0 };

export function plus(a: Load, b: Load): Load {
  return { records: a.records + b.records, bytes: a.bytes + b.bytes };
}

export function minus(a: Load, b: Load): Load {
  return { records: a.records - b.records, bytes: a.bytes - b.bytes };
}
