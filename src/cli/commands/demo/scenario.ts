import type { JsonValue } from '../../../domain/json';

/** The lists of the original experiment, each sent by a client of its own at the same time. */
export const CLIENT_LISTS: readonly JsonValue[][] = [[1, 2, 3, 4], [5, 7, 8], [1], [2]];

/** Four saves of five fail, as they did there. */
export const FAILURE_RATE = 0.8;
