/** What an attack or a soak is about: settings of every process, by their names without `KEEPAPART_`. */
export type Profile = Readonly<Record<string, string>>;

export const PROFILE_HELP = `  --save-activity <how>     SAVE_ACTIVITY: regular (default), local or batch
  --batches-per-child <n>   BATCHES_PER_CHILD (default 1)
  --conflict-scope <where>  CONFLICT_SCOPE: file (default) or running, then with an APART_MS of 200`;

export const PROFILE_OPTIONS = {
  'save-activity': { type: 'string', default: 'regular' },
  'batches-per-child': { type: 'string', default: '1' },
  'conflict-scope': { type: 'string', default: 'file' },
} as const;

/** In scope `running`. */
export const APART_MS = 200;

/** Of several batches a child, four children at once, and never fewer batches than by default. */
export function profileOf(given: Record<keyof typeof PROFILE_OPTIONS, string>): Profile {
  return {
    SAVE_ACTIVITY: given['save-activity'],
    BATCHES_PER_CHILD: given['batches-per-child'],
    CONFLICT_SCOPE: given['conflict-scope'],
    APART_MS: given['conflict-scope'] === 'running' ? String(APART_MS) : '0',
    MAX_IN_FLIGHT: String(Math.max(50, 4 * Number(given['batches-per-child']))),
  };
}
