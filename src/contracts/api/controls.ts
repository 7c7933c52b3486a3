import type { ControlAction } from '../workflow/controls';

/** Something that was done by an operator, or by a process at its start. */
export interface ControlView {
  action: ControlAction;
  by: string;
  /** ISO 8601, UTC. */
  at: string;
  /** Of `limits` the change, of `redrive` the number of records; null otherwise. */
  detail: string | null;
  /** Numbers of the shards to which it was done. */
  shards: number[];
}

export interface ControlsView {
  /** The latest first. Each batcher remembers its latest 20, also across its runs. */
  controls: ControlView[];
}
