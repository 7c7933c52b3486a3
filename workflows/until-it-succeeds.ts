import { proxyActivities } from '@temporalio/workflow';
import { ACTIVITY_TIMEOUTS, type Activities } from '../src/contracts/activities';

/** A store that is away is asked again after 1 s, 2 s, …, 30 s, for as long as it takes. */
export function untilItSucceeds(summary: string) {
  return proxyActivities<Activities>({
    startToCloseTimeout: ACTIVITY_TIMEOUTS.closeMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    summary,
  });
}
