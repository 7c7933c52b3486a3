import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { SECOND } from '../../domain/duration';
import { isKeepapartError } from '../../domain/errors';
import { promote, readVersions, type DeploymentAddress } from './versions';

/** How soon to look for a new worker in Temporal, and then how often to look for an operator's decision. */
const FIRST_LOOK_MS = 0.2 * SECOND;
const LOOK_AGAIN_MS = 10 * SECOND;

/** Whether the build of a running worker receives work. */
export const STANDING = {
  /** It is current or ramping. */
  active: 'active',
  /** It was the first build ever, and made itself current. */
  madeCurrent: 'made current',
  /** It receives no work until it is promoted. */
  waiting: 'waiting',
  /** Temporal gives no answer. */
  unknown: 'unknown',
} as const;

export interface Standing {
  standing: (typeof STANDING)[keyof typeof STANDING];
  /** The build that receives the work while this one waits; null for workers without a build. */
  current: string | null;
  /** Why it is unknown. */
  reason?: string;
}

/**
 * Watches the build of a running worker until it receives work. If nobody has ever decided which build is current, and no
 * worker without a build is running, nobody would do any work: then this build makes itself current. Any later change
 * is an operator's decision.
 * @param report called whenever the standing changes
 * @throws the reason of `signal`, and any answer of Temporal except that it is unavailable
 */
export async function watchVersion(
  client: Client,
  address: DeploymentAddress & { buildId: string },
  report: (standing: Standing) => void,
  signal: AbortSignal,
): Promise<void> {
  const { buildId, deployment } = address;
  let reported: string | undefined;
  for (;;) {
    const now = await look().catch(unknownStanding);
    if (now !== undefined && reported !== JSON.stringify(now)) {
      report(now);
      reported = JSON.stringify(now);
    }
    if (now?.standing === STANDING.active || now?.standing === STANDING.madeCurrent) return;
    await sleep(now === undefined ? FIRST_LOOK_MS : LOOK_AGAIN_MS, undefined, { signal });
  }

  async function look(): Promise<Standing | undefined> {
    const { versions, current, decided, conflictToken } = await readVersions(client, address);
    const own = versions.find((version) => version.buildId === buildId);
    if (own === undefined) return undefined;
    if (own.percent !== null) return { standing: STANDING.active, current };
    const others = versions.find((version) => version.buildId === null)?.workers ?? 0;
    if (decided || others > 0) return { standing: STANDING.waiting, current };
    await promote(client, deployment, { buildId, conflictToken });
    return { standing: STANDING.madeCurrent, current: buildId };
  }
}

/** Temporal is unavailable, or another process was faster: look again later. */
function unknownStanding(error: unknown): Standing {
  if (!isKeepapartError(error)) throw error;
  return { standing: STANDING.unknown, current: null, reason: error.message };
}
