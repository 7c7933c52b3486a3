import type { ReplayReport } from '../../src/cli/commands/replay/tally';
import { startCommand } from './system';

/** Runs `keepapart replay` to its end. */
export async function runReplay(cwd: string, args: readonly string[], env: Record<string, string> = {}) {
  const command = startCommand(['replay', ...args], { cwd, env });
  const code = await command.ended;
  /** What `--json` printed. */
  const report = (): ReplayReport => JSON.parse(command.stdout());
  return { code, stdout: command.stdout(), stderr: command.stderr(), report };
}

/** An event in the JSON of Temporal's tools; what is changed in it is named in full by the cases. */
export type RecordedEvent = Record<string, Attributes>;
type Attributes = ReturnType<typeof JSON.parse>;

/** The attributes of the first event of a type, e.g. `activityTaskScheduled`. */
export function attributesOf(
  events: readonly RecordedEvent[],
  type: string,
  matches: (attributes: Attributes) => boolean = () => true,
): Attributes {
  const name = `${type}EventAttributes`;
  return events.find((event) => event[name] && matches(event[name]))![name];
}

export function firstChild(events: readonly RecordedEvent[]): Attributes {
  return attributesOf(events, 'startChildWorkflowExecutionInitiated');
}
