/** What an attack or a soak is about: settings of every process, by their names without `KEEPAPART_`. */
export type Profile = Readonly<Record<string, string>>;

export const PROFILE_HELP = `  --save-activity <how>     SAVE_ACTIVITY: auto (default), record or batch
  --conflict-scope <where>  CONFLICT_SCOPE: file (default) or running, then with an APART_MS of 200`;

export const PROFILE_OPTIONS = {
  'save-activity': { type: 'string', default: 'auto' },
  'conflict-scope': { type: 'string', default: 'file' },
} as const;

/** In scope `running`. */
export const APART_MS = 200;

export function profileOf(given: Record<keyof typeof PROFILE_OPTIONS, string>): Profile {
  return {
    SAVE_ACTIVITY: given['save-activity'],
    CONFLICT_SCOPE: given['conflict-scope'],
    APART_MS: given['conflict-scope'] === 'running' ? String(APART_MS) : '0',
  };
}
