/* The names of states, kinds and choices, for schemas and for code that must not load zod. */

/** The states of a record. */
export const RECORD_STATE = {
  buffered: 'buffered',
  inBatch: 'in_batch',
  saved: 'saved',
  rolledBack: 'rolled_back',
} as const;
export type RecordState = (typeof RECORD_STATE)[keyof typeof RECORD_STATE];

/** `failed`: closed without completing. */
export const BATCH_STATES = ['running', 'completed', 'failed'] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** The steps of a batch, in order. `settling` replaces the others if an earlier run of the child ended early. */
export const BATCH_STEPS = ['saving', 'undoing', 'closing', 'settling'] as const;
export type BatchStep = (typeof BATCH_STEPS)[number];

/** Which dead letters to list: those that were not redriven, those that were, or both. */
export const REDRIVEN = ['false', 'true', 'any'] as const;
export type Redriven = (typeof REDRIVEN)[number];

/** Which tasks a queue has. */
export const TASK_KINDS = ['workflow', 'activity'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/** How much of the history `GET /v1/events` sends first. */
export const HISTORY_CHOICES = ['none', 'minutes', 'hours'] as const;
export type HistoryChoice = (typeof HISTORY_CHOICES)[number];
