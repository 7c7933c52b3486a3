/** What Temporal says of a build, in its own words; `unversioned` stands for workers without `BUILD_ID`. */
export const VERSION_STATE = {
  /** Gets new batches, and the batchers. */
  current: 'current',
  /** Gets a share of them. */
  ramping: 'ramping',
  /** Has been seen, and never got any. */
  inactive: 'inactive',
  /** Gets nothing new; its workers have open batches to finish, or had when Temporal last looked. */
  draining: 'draining',
  /** Temporal has looked and found no open batch: its workers may go. */
  drained: 'drained',
  unversioned: 'unversioned',
} as const;
export type VersionState = (typeof VERSION_STATE)[keyof typeof VERSION_STATE];

/** One build, or all workers without one. */
export interface VersionView {
  /** Null for workers without `BUILD_ID`. */
  buildId: string | null;
  state: VersionState;
  /** How many of a hundred new batches, and of batchers, go here; null where it is neither current nor ramping. */
  percent: number | null;
  /** Open batches that only this build's workers can finish; null where nothing is pinned. */
  openBatches: number | null;
  /** Processes that have asked for workflow tasks within the last 70 seconds. */
  workers: number;
  /** When its first worker came, ISO 8601; null for workers without `BUILD_ID`. */
  firstSeenAt: string | null;
}

/** All builds of a Worker Deployment, the newest first. */
export interface VersionsView {
  deployment: string;
  taskQueue: string;
  /** The build that is current; null when workers without `BUILD_ID` are. */
  current: string | null;
  /** Whether an operator, or the first worker, has ever said what is current or ramping. */
  decided: boolean;
  versions: VersionView[];
}
