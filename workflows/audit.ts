import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { Activities } from '../src/contracts/workflow/activities';
import {
  AUDIT_IMPOSSIBLE,
  AUDIT_TIMEOUTS,
  type AuditRequest,
  type AuditResult,
} from '../src/contracts/workflow/audit';

const { auditFiles } = proxyActivities<Pick<Activities, 'auditFiles'>>({
  startToCloseTimeout: AUDIT_TIMEOUTS.attemptMs,
  scheduleToCloseTimeout: AUDIT_TIMEOUTS.allMs,
  heartbeatTimeout: AUDIT_TIMEOUTS.heartbeatMs,
  retry: { nonRetryableErrorTypes: [AUDIT_IMPOSSIBLE] },
});

/** Has a worker hold the batch files against the guarantees. It survives a killed worker: the next one begins anew. */
export async function auditWorkflow({ by }: AuditRequest): Promise<AuditResult> {
  setCurrentDetails(`asked for by ${by}`);
  return auditFiles();
}
