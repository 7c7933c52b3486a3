import type { OperatorAction } from './batcher-status';

/** What an operator, or a process that starts, can do to a batcher. */
export const CONTROL_ACTIONS = [
  'pause',
  'resume',
  'flush',
  'drain',
  'limits',
  'redrive',
  'configure',
] as const;
export type ControlAction = (typeof CONTROL_ACTIONS)[number];

/** Something that was done to a batcher: what, by whom, and when. */
export interface ControlNote extends OperatorAction {
  action: ControlAction;
  /** Of `limits` the change, of `redrive` the number of records; shortened. */
  detail?: string;
}

/** The latest that a batcher remembers, across its runs: a few kilobytes of the state that it hands over. */
export const MAX_CONTROL_NOTES = 20;
