/** Temporal's states of a build; `unversioned` stands for workers without `BUILD_ID`. */
export const VERSION_STATE = {
  /** Gets new children, and the batchers. */
  current: 'current',
  /** Gets a share of them. */
  ramping: 'ramping',
  /** Known, but has never got any. */
  inactive: 'inactive',
  /** Gets nothing new. Its workers had open children to finish when Temporal last checked. */
  draining: 'draining',
  /** Temporal found no open children: its workers can be stopped. */
  drained: 'drained',
  unversioned: 'unversioned',
} as const;
export type VersionState = (typeof VERSION_STATE)[keyof typeof VERSION_STATE];

/** A build, or all workers without one. */
export interface VersionView {
  /** Null for workers without `BUILD_ID`. */
  buildId: string | null;
  state: VersionState;
  /** Share of new children and of batchers that it gets, 0 to 100; null if it is neither current nor ramping. */
  percent: number | null;
  /** Open children that only this build's workers can finish; null if none are pinned to it. */
  openBatches: number | null;
  /** Number of processes that polled for workflow tasks in the last 70 seconds. */
  workers: number;
  /** When its first worker was seen, ISO 8601; null for workers without `BUILD_ID`. */
  firstSeenAt: string | null;
}

/** All builds of a Worker Deployment, newest first. */
export interface VersionsView {
  deployment: string;
  taskQueue: string;
  /** The current build; null if workers without `BUILD_ID` are current. */
  current: string | null;
  /** Whether a current or ramping build was ever set, by an operator or the first worker. */
  decided: boolean;
  versions: VersionView[];
}
