import { loadConfig, type Config } from '../../config';
import { isKeepapartError } from '../../domain/errors';

/** Settings that trade detail in Temporal's Web UI for speed. */
export interface Profile {
  name: string;
  saveActivity: Config['saveActivity'];
  batchesPerChild: number;
}

const ALL: readonly Profile[] = [
  { name: 'default', saveActivity: 'regular', batchesPerChild: 1 },
  { name: 'local', saveActivity: 'local', batchesPerChild: 1 },
  { name: 'local-20', saveActivity: 'local', batchesPerChild: 20 },
  { name: 'batch-20', saveActivity: 'batch', batchesPerChild: 20 },
  { name: 'batch-100', saveActivity: 'batch', batchesPerChild: 100 },
];

/** The profiles that this version takes. */
export const PROFILES: readonly Profile[] = ALL.filter(({ saveActivity, batchesPerChild }) => {
  try {
    loadConfig({ env: {}, flags: { saveActivity, batchesPerChild: String(batchesPerChild) } });
    return true;
  } catch (error) {
    if (isKeepapartError(error)) return false;
    throw error;
  }
});
