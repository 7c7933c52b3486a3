import type { RequestView } from '../../contracts/api/answers/requests';

/** What the first minute sends. */
export const EXAMPLE: readonly (readonly number[])[] = [[1, 2, 3, 4], [5, 7, 8], [1], [2]];

/** One record of the example on its way. */
export interface Traveller {
  recordId: string;
  value: number;
  /** Place of its list in the example. */
  list: number;
  state: 'sending' | 'buffered' | 'in_batch' | 'saved' | 'rolled_back';
  batchId?: string;
}

/** All records of the example before any is sent; ids are placeholders until their request is known. */
export function setOut(): Traveller[] {
  return EXAMPLE.flatMap((values, list) =>
    values.map((value, index) => ({ recordId: `${list}:${index}`, value, list, state: 'sending' as const })),
  );
}

/** The travellers as far as one of their requests has come. */
export function follow(
  travellers: readonly Traveller[],
  list: number,
  { records }: RequestView,
): Traveller[] {
  let index = 0;
  return travellers.map((traveller) => {
    if (traveller.list !== list) return traveller;
    const record = records[index++];
    if (record === undefined) return traveller;
    const { state, batchId } = record;
    return { ...traveller, state, ...(batchId !== undefined && { batchId }) };
  });
}

/** Where travellers are: those that wait, and each batch with its records, in the order in which batches appeared. */
export function stations(travellers: readonly Traveller[]): {
  waiting: Traveller[];
  batches: { batchId: string; records: Traveller[] }[];
} {
  const batches = new Map<string, Traveller[]>();
  for (const traveller of travellers) {
    if (traveller.batchId === undefined) continue;
    batches.set(traveller.batchId, [...(batches.get(traveller.batchId) ?? []), traveller]);
  }
  return {
    waiting: travellers.filter(({ batchId }) => batchId === undefined),
    batches: [...batches]
      .map(([batchId, records]) => ({ batchId, records }))
      .sort((a, b) => (a.batchId < b.batchId ? -1 : 1)),
  };
}

export function hasArrived({ state }: Traveller): boolean {
  return state === 'saved' || state === 'rolled_back';
}
