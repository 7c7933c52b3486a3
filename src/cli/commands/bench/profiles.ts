import { SAVE_ACTIVITIES } from '../../../config/settings';
import type { Config } from '../../../config';

/** Ways of saving, to be measured against one another. */
export interface Profile {
  name: string;
  saveActivity: Config['saveActivity'];
}

export const PROFILES: readonly Profile[] = SAVE_ACTIVITIES.map((name) => ({ name, saveActivity: name }));
