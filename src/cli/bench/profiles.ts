import type { Config } from '../../config';

/** Settings that trade detail in Temporal's Web UI for speed. */
export interface Profile {
  name: string;
  saveActivity: Config['saveActivity'];
  batchesPerChild: number;
  /** What MAX_IN_FLIGHT is raised to where less is set: it counts batches, and several children are to run at once. */
  leastInFlight: number;
}

export const PROFILES: readonly Profile[] = [
  { name: 'default', saveActivity: 'regular', batchesPerChild: 1, leastInFlight: 1 },
  { name: 'local', saveActivity: 'local', batchesPerChild: 1, leastInFlight: 1 },
  { name: 'local-20', saveActivity: 'local', batchesPerChild: 20, leastInFlight: 100 },
  { name: 'batch-20', saveActivity: 'batch', batchesPerChild: 20, leastInFlight: 100 },
  { name: 'batch-100', saveActivity: 'batch', batchesPerChild: 100, leastInFlight: 10 },
];
