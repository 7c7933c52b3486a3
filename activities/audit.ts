import { ApplicationFailure, Context, heartbeat } from '@temporalio/activity';
import { AUDIT_IMPOSSIBLE, type AuditProgress, type AuditResult } from '../src/contracts/workflow/audit';
import { SECOND } from '../src/domain/duration';
import { isKeepapartError } from '../src/domain/errors';

/** Reads the batch files of this worker. `onProgress` is called often; `signal` is aborted when it is to stop. */
export type RunAudit = (
  onProgress: (progress: AuditProgress) => void,
  signal: AbortSignal,
) => Promise<AuditResult>;

/** One audit as an activity, with its progress as heartbeats. What the configuration makes impossible isn't tried again. */
export async function auditFiles(runAudit: RunAudit | undefined): Promise<AuditResult> {
  const { cancellationSignal } = Context.current();
  let progress: AuditProgress | undefined;
  // The SDK sends fewer: one in four fifths of the timeout.
  const timer = setInterval(() => heartbeat(progress), SECOND);
  try {
    if (runAudit === undefined) throw impossible('this worker has no batch files to audit');
    return await runAudit((next) => (progress = next), cancellationSignal);
  } catch (error) {
    if (isKeepapartError(error) && error.code === 'invalid-config') throw impossible(error.message);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

function impossible(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, AUDIT_IMPOSSIBLE);
}
