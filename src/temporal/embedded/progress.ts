/** What the search for a binary is doing. */
export const BINARY_PHASE = { look: 'look', download: 'download', compile: 'compile' } as const;
export type BinaryPhase = (typeof BINARY_PHASE)[keyof typeof BINARY_PHASE];

/** Sent for every result, and at least once a second during long steps. */
export interface BinaryProgress {
  phase: BinaryPhase;
  /** One line for people. */
  message: string;
  /** Since the search began. */
  elapsedMs: number;
  /** Progress of the phase, 0 to 1; absent if unknown. An estimate: it may jump. */
  share?: number;
}

/** Reports one step; `share` as in {@link BinaryProgress}. */
export type ReportStep = (phase: BinaryPhase, message: string, share?: number) => void;
