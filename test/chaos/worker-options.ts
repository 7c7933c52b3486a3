/** What a worker of the attack is started with, as JSON in `CHAOS_WORKER`. */
export interface WorkerOptions {
  temporalAddress: string;
  taskQueue: string;
  dataDir: string;
  outDir: string;
  failureRate: number;
  slowSaveMs: number;
}

/** Where a worker can be told to stand still until it is killed. */
export type Moment = 'before-save' | 'after-save' | 'before-close' | 'after-close';
