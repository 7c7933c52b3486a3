/** What the search for a binary is busy with. */
export const BINARY_PHASE = { look: 'look', download: 'download', compile: 'compile' } as const;
export type BinaryPhase = (typeof BINARY_PHASE)[keyof typeof BINARY_PHASE];

/** Sent on every finding, and at least once a second while something long goes on. */
export interface BinaryProgress {
  phase: BinaryPhase;
  /** One line for people. */
  message: string;
  /** Since the search began. */
  elapsedMs: number;
  /** How much of the phase is done, 0 to 1; absent where nobody knows. An estimate: it may jump. */
  share?: number;
}

/** Reports one step; `share` as in {@link BinaryProgress}. */
export type ReportStep = (phase: BinaryPhase, message: string, share?: number) => void;
