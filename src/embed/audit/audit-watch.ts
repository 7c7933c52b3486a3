import { setTimeout as sleep } from 'node:timers/promises';
import { AUDIT_BOUNDS, type AuditProgress } from '../../contracts/workflow/audit';

/** What an audit beside other work keeps to. */
export interface AuditWatch {
  most: Record<keyof typeof AUDIT_BOUNDS, number>;
  /** Called before each portion of the work: says how far the audit is, and waits. Rejects when it is to stop. */
  step(progress: AuditProgress): Promise<void>;
}

/** After each portion, the audit rests three times as long as that took, so it takes a quarter of a core at most. */
const REST_RATIO = 3;
const MAX_REST_MS = 1000;

/** An audit that costs others little: bounded in what it reads, and at rest most of the time. */
export function considerateAudit(
  onProgress: (progress: AuditProgress) => void,
  signal: AbortSignal,
): AuditWatch {
  let resumedAtMs = performance.now();
  return {
    most: AUDIT_BOUNDS,
    async step(progress) {
      onProgress(progress);
      const restMs = Math.min(MAX_REST_MS, (performance.now() - resumedAtMs) * REST_RATIO);
      await sleep(restMs, undefined, { signal });
      resumedAtMs = performance.now();
    },
  };
}
