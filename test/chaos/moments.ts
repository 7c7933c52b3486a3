import { SECOND } from '../../src/domain/duration';
import { waitFor } from '../helpers/wait-for';

/** How long a fault waits for its moment. When that doesn't come, it is done all the same, and says so. */
export const MOMENT_LIMIT_MS = 10 * SECOND;
export const POLL_MS = 20;

/** Whether it comes in time; what fails meanwhile, because something is down, is looked at again. */
export async function comes(
  look: () => unknown,
  intervalMs = POLL_MS,
  timeoutMs = MOMENT_LIMIT_MS,
): Promise<boolean> {
  try {
    await waitFor('the moment', async () => Boolean(await look()), { timeoutMs, intervalMs });
    return true;
  } catch {
    return false;
  }
}
