import { SAVE_ACTIVITY, type PipelineSettings, type SaveActivity } from '../src/contracts/settings';

/**
 * Most attempts that a child may come to have in its history. Temporal ends a run at 51,200 events, and each attempt of a
 * local activity is one, with up to five of the timer and the task around it.
 */
const MAX_LOCAL_ATTEMPTS = 5000;

/** How so many records of one child are saved: by activities of the server's where local ones might fill its history. */
export function saveActivityFor(
  records: number,
  { saveActivity, maxAttempts }: PipelineSettings,
): SaveActivity {
  const tooMany = saveActivity === SAVE_ACTIVITY.local && records * maxAttempts > MAX_LOCAL_ATTEMPTS;
  return tooMany ? SAVE_ACTIVITY.regular : saveActivity;
}
