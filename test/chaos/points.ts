/** Where a worker can be made to stop: around the calls of a store, and inside the publishing of a batch file. */
export const POINTS = [
  'before a save',
  'after a save',
  'before closing',
  'before publishing',
  'after publishing',
  'after closing',
] as const;
export type Point = (typeof POINTS)[number];

/** What the harness tells a worker. */
export type ToWorker =
  /** The next call that gets to this point hangs there. */
  | { hangAt: Point }
  /** It goes on. */
  | { goOn: true };

/** What a worker tells the harness. */
export type FromWorker =
  | { ready: true }
  | { reached: Point; batchId: string }
  /** How the call ended that had hung and went on: the code of its error, or `ok`. */
  | { ended: string };

export interface Hanging {
  /** Arms a point; it counts once. */
  hangAt(point: Point): void;
  goOn(): void;
  /** To be awaited where a point is; the batch is named where it is known. True when it hung there. */
  pass(point: Point, batchId?: string): Promise<boolean>;
}

export function createHanging(reached: (point: Point, batchId: string) => void): Hanging {
  let armed: Point | undefined;
  let release: (() => void) | undefined;
  return {
    hangAt(point) {
      armed = point;
    },
    goOn() {
      armed = undefined;
      release?.();
    },
    async pass(point, batchId = '') {
      if (point !== armed) return false;
      armed = undefined;
      reached(point, batchId);
      await new Promise<void>((resolve) => (release = resolve));
      return true;
    },
  };
}
