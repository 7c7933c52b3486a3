/* Children that were started: following each to its end, settling those that end early, and asking what others hold. */
import { log, proxyActivities, sleep, workflowInfo, type ChildWorkflowHandle } from '@temporalio/workflow';
import {
  ACTIVITY_TIMEOUTS,
  CHILD_CLOSING,
  completedWith,
  type Activities,
  type ChildClosing,
  type HeldByChild,
  type LeftBefore,
  type StartedBefore,
} from '../../../src/contracts/workflow/activities';
import { DELETED_BY_OPERATOR, type ChildWorkflow } from '../../../src/contracts/workflow/child';
import { adoptionTaskQueue } from '../../../src/contracts/workflow/ids';
import { SECOND } from '../../../src/domain/duration';

/** A child that is settled and ends early again, which only an operator can do to it, is settled again after 1 s, 2 s, … */
const MAX_SETTLE_PAUSE_MS = 300 * SECOND;

/** Waits for a child that this run started. Returns however it closes. */
export async function childClosing(
  handle: ChildWorkflowHandle<ChildWorkflow>,
): Promise<ChildClosing | undefined> {
  try {
    return completedWith(await handle.result());
  } catch (error) {
    log.warn('a child closed without completing', { childId: handle.workflowId, error });
    return undefined;
  }
}

/** Waits for a child that another run started, or for an activity that settles it. */
export async function adoptedClosing(childId: string): Promise<ChildClosing | undefined> {
  try {
    return await supervising(childId).adoptChild({ childId });
  } catch (error) {
    log.warn('an adopted child could not be followed to its end', { childId, error });
    return undefined;
  }
}

/**
 * Has a child that closed without completing settled, so that its records get an outcome (G4).
 * @param onEarlyEnd called each time it closes without completing, this time included
 * @param again starts one that was deleted anew; see `StartedChild.again`
 * @returns how it closed in the end; not completed only when nobody knows it any more
 */
export async function settleIfNeeded(
  childId: string,
  closing: ChildClosing | undefined,
  onEarlyEnd: () => void,
  again?: (reason: string) => Promise<boolean>,
): Promise<ChildClosing | undefined> {
  let last = closing;
  for (let pauseMs = 1 * SECOND; last?.status !== CHILD_CLOSING.completed; pauseMs *= 2) {
    onEarlyEnd();
    if (pauseMs > 1 * SECOND) await sleep(Math.min(pauseMs, MAX_SETTLE_PAUSE_MS));
    if (!(await supervising(childId).restartChild({ childId }))) {
      if (again === undefined) return last;
      await again(DELETED_BY_OPERATOR);
    }
    last = await adoptedClosing(childId);
  }
  return last;
}

/**
 * What an earlier batcher of this id left when it was terminated: what it remembered, and the children that have not
 * completed, with their records.
 */
export async function findLeft(): Promise<{
  children: [childId: string, held: HeldByChild][];
  before: LeftBefore | undefined;
}> {
  const { workflowId } = workflowInfo();
  const { childIds, before } = await supervising(workflowId).findLeft({ batcher: workflowId });
  const children = await Promise.all(
    childIds.map(async (childId): Promise<[string, HeldByChild]> => [childId, await readChild(childId)]),
  );
  return { children, before };
}

/** See {@link Activities.findStarted}. */
export function findStarted(runId: string, from: number): Promise<StartedBefore> {
  const { workflowId: batcher } = workflowInfo();
  return supervising(batcher).findStarted({ batcher, runId, from });
}

/** The records that a child was started with. */
export function readChild(childId: string): Promise<HeldByChild> {
  return supervising(childId).readChild({ childId });
}

function supervising(childId: string) {
  return proxyActivities<Activities>({
    taskQueue: adoptionTaskQueue(workflowInfo().taskQueue),
    startToCloseTimeout: ACTIVITY_TIMEOUTS.adoptMs,
    heartbeatTimeout: ACTIVITY_TIMEOUTS.heartbeatMs,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
    summary: childId,
  });
}
