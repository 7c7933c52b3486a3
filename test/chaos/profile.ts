/** Which way of saving an attack or a soak is about: settings of every process, by their names without `KEEPAPART_`. */
export type Profile = Readonly<Record<string, string>>;

export const PROFILE_HELP = `  --save-activity <how>     SAVE_ACTIVITY: regular (default), local or batch
  --batches-per-child <n>   BATCHES_PER_CHILD (default 1)`;

export const PROFILE_OPTIONS = {
  'save-activity': { type: 'string', default: 'regular' },
  'batches-per-child': { type: 'string', default: '1' },
} as const;

/** Of several batches a child, four children at once, and never fewer batches than by default. */
export function profileOf(given: { 'save-activity': string; 'batches-per-child': string }): Profile {
  return {
    SAVE_ACTIVITY: given['save-activity'],
    BATCHES_PER_CHILD: given['batches-per-child'],
    MAX_IN_FLIGHT: String(Math.max(50, 4 * Number(given['batches-per-child']))),
  };
}
