/*
 * Goes into the bundle that is replayed, and into no worker's. A replay compares a child's type and id, not its input;
 * but a batcher that now cuts other batches than it did would believe records saved that are still buffered, and lose
 * them (G4). So every batch is reported, and every page of a buffer. The commands are reported to explain a mismatch that Temporal finds.
 */
import {
  proxySinks,
  type ConcludeActivationInput,
  type WorkflowInterceptorsFactory,
} from '@temporalio/workflow';
import { recordsGivenTo, type GivenCommand, type ReplaySinks } from '../../src/contracts/workflow/replay';

const { replay } = proxySinks<ReplaySinks>();

export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      startChildWorkflowExecution(input, next) {
        const { workflowId, args } = input.options;
        const recordIds = recordsGivenTo(input.workflowType, args[0]);
        if (recordIds) replay.records(workflowId, recordIds);
        return next(input);
      },
    },
  ],
  internals: [
    {
      concludeActivation(input, next) {
        replay.commands(input.commands.map(givenCommand));
        return next(input);
      },
    },
  ],
});

type WorkflowCommand = ConcludeActivationInput['commands'][number];

function givenCommand(command: WorkflowCommand): GivenCommand {
  const {
    scheduleActivity: activity,
    startChildWorkflowExecution: child,
    startTimer: timer,
    setPatchMarker: patch,
  } = command;
  const kind = Object.keys(command).find((name) => !BESIDE_THE_COMMAND.has(name)) ?? 'nothing';
  const type = activity?.activityType ?? child?.workflowType;
  const id = activity?.activityId ?? child?.workflowId ?? timer?.seq?.toString() ?? patch?.patchId;
  return { kind, ...(type != null && { type }), ...(id != null && { id }) };
}

const BESIDE_THE_COMMAND = new Set(['userMetadata', 'eventGroupMarkers']);
