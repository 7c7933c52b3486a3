import { KIB } from '../../domain/duration';
import type { JsonValue } from '../../domain/json';

/** The first records of a buffer, in order of acceptance. */
export interface BufferSample {
  records: SampledRecord[];
  /** How many more are buffered. */
  more: number;
}

export interface SampledRecord {
  recordId: string;
  value: JsonValue;
  /** Milliseconds since the epoch. */
  acceptedAtMs: number;
  /** In scope `running`: what keeps it from starting; absent if nothing does. */
  heldBy?: RecordHolders;
}

/** What holds a place that a record needs. */
export interface RecordHolders {
  /** Children in flight, at most five; their ends are not known in advance. */
  childIds: string[];
  /** When what has ended stops holding it, in milliseconds since the epoch; null if nothing that has ended does. */
  untilMs: number | null;
}

/** What a sample holds at most. A value that is larger alone ends it. */
export const SAMPLE_BOUNDS = { records: 300, bytes: 64 * KIB, holders: 5 } as const;
