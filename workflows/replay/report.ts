/*
 * Part of the bundle for replays only. A replay compares the types and ids of child workflows, not their inputs. But if
 * the code now cuts different batches, a batcher would take records for saved that are still buffered, and lose them (G4).
 * So the records of every child and page are reported. Commands are reported to explain mismatches that Temporal finds.
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
    scheduleLocalActivity: local,
    startChildWorkflowExecution: child,
    startTimer: timer,
    setPatchMarker: patch,
  } = command;
  const kind = Object.keys(command).find((name) => !METADATA.has(name)) ?? 'nothing';
  const type = activity?.activityType ?? local?.activityType ?? child?.workflowType;
  const id = activity?.activityId ?? child?.workflowId ?? timer?.seq?.toString() ?? patch?.patchId;
  return { kind, ...(type != null && { type }), ...(id != null && { id }) };
}

/** Members of a command that are not its kind. */
const METADATA = new Set(['userMetadata', 'eventGroupMarkers']);
