import type { PlainStore } from '../work/plain-store';
import { benchOutcome, type BenchRecord } from '../work/work';

export interface Ended {
  value: BenchRecord;
  attempts: number;
  error?: string;
}

export interface Activities {
  save(record: BenchRecord): Promise<{ attempts: number; error?: string }>;
  closeBatch(batchId: string, records: Ended[]): Promise<void>;
}

export function createActivities(store: PlainStore): Activities {
  return {
    save: async (record) => ({ attempts: await store.save(record) }),
    closeBatch: (batchId, records) =>
      store.close(
        batchId,
        records.map(({ value, ...ended }) => benchOutcome(value, ended)),
      ),
  };
}
