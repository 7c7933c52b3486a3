import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { SECOND } from '../../domain/duration';
import { isKeepapartError } from '../../domain/errors';
import { promote, readVersions, type DeploymentAddress } from './versions';

/** Until Temporal knows of a worker that has just come; then until an operator has made up their mind. */
const FIRST_LOOK_MS = 0.2 * SECOND;
const LOOK_AGAIN_MS = 10 * SECOND;

/** How it stands with the build of a worker that has started. */
export const STANDING = {
  /** It is current or ramping: it gets work. */
  active: 'active',
  /** It was the first there ever was, and has been made current. */
  madeCurrent: 'made current',
  /** It gets nothing until it is promoted. */
  waiting: 'waiting',
  /** Temporal doesn't say. */
  unknown: 'unknown',
} as const;

export interface Standing {
  standing: (typeof STANDING)[keyof typeof STANDING];
  /** Who gets the work while this build waits; null for workers without a build. */
  current: string | null;
  /** Why it is unknown. */
  reason?: string;
}

/**
 * Watches over a build whose worker has started, until it gets work. Where nobody has ever decided which build is
 * current and no worker without one is there, nobody would do any work: then this build makes itself current. Anything
 * later is an operator's decision.
 * @param tell told whenever the standing changes
 * @throws the reason of `signal`, and what Temporal answers other than that it can't be reached
 */
export async function watchVersion(
  client: Client,
  address: DeploymentAddress & { buildId: string },
  tell: (standing: Standing) => void,
  signal: AbortSignal,
): Promise<void> {
  const { buildId, deployment } = address;
  let told: string | undefined;
  for (;;) {
    const now = await look().catch(unknownStanding);
    if (now !== undefined && told !== JSON.stringify(now)) {
      tell(now);
      told = JSON.stringify(now);
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

/** Temporal is away, or somebody else was faster: it is looked at again. */
function unknownStanding(error: unknown): Standing {
  if (!isKeepapartError(error)) throw error;
  return { standing: STANDING.unknown, current: null, reason: error.message };
}
