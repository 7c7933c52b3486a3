/** One kind of life of a workflow that a version's corpus has to hold. Lines are those of `tellHistory`. */
export interface ReplayCase {
  /** The version that brought what it shows, for cases that older versions can't have. */
  since?: string;
  /** What its history must tell to deserve the name. */
  tells: readonly string[];
  /** What it must not tell, as a beginning of a line. */
  neverTells?: readonly string[];
}

/** Whether each record has a local activity of its own or those of a batch share one. */
const SAVED_LOCALLY = {
  since: '0.3.0',
  tells: [
    'batchWorkflow starts',
    'saveRecords succeeds locally',
    'a timer fires',
    'rollback succeeds at attempt 1',
    'closeBatch succeeds at attempt 1',
    'completes: saved, saved, rolled_back, rolled_back',
  ],
  neverTells: ['save '],
} as const satisfies ReplayCase;

/** By the name in the file: `<version>-<workflow>-<case>.json`. */
export const CASES = {
  'batch-clean': {
    tells: [
      'batchWorkflow starts',
      'save succeeds at attempt 1',
      'closeBatch succeeds at attempt 1',
      'completes: saved, saved, saved',
    ],
    neverTells: ['save fails', 'save succeeds at attempt 2', 'rollback'],
  },
  'batch-retries': {
    tells: [
      'batchWorkflow starts',
      'save succeeds at attempt 1',
      'save succeeds at attempt 2',
      'save succeeds at attempt 3',
      'completes: saved, saved, saved',
    ],
    neverTells: ['rollback'],
  },
  'batch-rollback': {
    tells: [
      'batchWorkflow starts',
      'save succeeds at attempt 1',
      'save fails for good: MAXIMUM_ATTEMPTS_REACHED',
      'save fails for good: NON_RETRYABLE_FAILURE',
      'rollback succeeds at attempt 1',
      'completes: saved, rolled_back, rolled_back',
    ],
  },
  'batch-cancelled': {
    tells: [
      'batchWorkflow starts',
      'save succeeds at attempt 1',
      'cancellation is requested',
      'save is called off',
      'rollback succeeds at attempt 1',
      'closeBatch succeeds at attempt 1',
      'completes: saved, rolled_back',
    ],
  },
  'batcher-size-and-age': {
    tells: [
      'batcherWorkflow starts',
      'signal addRecords',
      'a batch starts: size',
      'a timer fires',
      'a batch starts: age',
      'a batch completes',
    ],
  },
  'batcher-continued-as-new': {
    tells: ['batcherWorkflow starts', 'a batch starts: size', 'continues as new, batches in flight: 2'],
  },
  'batcher-adopting': {
    tells: [
      'batcherWorkflow continues an earlier run',
      'adoptBatch succeeds at attempt 1',
      'a batch starts: manual',
      'a batch completes',
    ],
  },
  'batcher-paused': {
    tells: [
      'batcherWorkflow starts',
      'signal pause',
      'signal addRecords',
      'signal resume',
      'a batch starts: size',
      'signal flush',
      'a batch starts: manual',
      'signal configure',
      'a batch starts: age',
    ],
  },
  'batch-all-or-nothing': {
    tells: [
      'batchWorkflow starts',
      'save succeeds at attempt 1',
      'save fails for good: NON_RETRYABLE_FAILURE',
      'rollback succeeds at attempt 1',
      'completes: rolled_back, rolled_back',
    ],
  },
  'batch-terminated': {
    tells: ['batchWorkflow starts', 'is terminated'],
  },
  'batch-settled': {
    tells: ['batchWorkflow starts', 'settleBatch succeeds at attempt 1', 'completes: rolled_back'],
    neverTells: ['save succeeds'],
  },
  'batcher-settling': {
    tells: [
      'batcherWorkflow starts',
      'a batch starts: age',
      'a batch is terminated',
      'restartBatch succeeds at attempt 1',
      'adoptBatch succeeds at attempt 1',
    ],
  },
  'batcher-spilling': {
    tells: [
      'batcherWorkflow starts',
      'signal pause',
      'signal addRecords',
      'a page starts',
      'continues as new, batches in flight: 0',
    ],
  },
  'batcher-taking-in': {
    tells: [
      'batcherWorkflow continues an earlier run',
      'signal drain',
      'signal resume',
      'readPage succeeds at attempt 1',
      'a page is let go',
      'a batch starts: drain',
    ],
  },
  'page-taken-in': {
    tells: ['bufferPageWorkflow starts', 'signal takenIn', 'completes'],
  },
  'batcher-keys': {
    tells: [
      'batcherWorkflow continues an earlier run',
      'signal addRecords',
      'a batch starts: manual',
      'a batch completes',
    ],
  },
  'batcher-two-pairs': {
    tells: ['batcherWorkflow starts', 'signal addRecords', 'a batch starts: size', 'a batch completes'],
  },
  'batcher-second-partitioner': {
    since: '0.3.0',
    tells: [
      'batcherWorkflow starts',
      'patched: partition-2',
      'signal addRecords',
      'a batch starts: size',
      'a batch starts: manual',
      'a batch completes',
    ],
  },
  'batcher-redriving': {
    tells: ['batcherWorkflow starts', 'signal addRecords', 'a batch starts: age', 'a batch completes'],
  },
  'batcher-limits': {
    since: '0.3.0',
    tells: [
      'batcherWorkflow continues an earlier run',
      'update limits',
      'signal configure',
      'a batch starts: size',
      'a batch starts: manual',
      'a batch completes',
    ],
  },
  'batch-saved-locally': SAVED_LOCALLY,
  'batch-saved-together': SAVED_LOCALLY,
  'batcher-streams': {
    since: '0.3.0',
    tells: [
      'batcherWorkflow starts',
      'a part under a key, from record 0',
      'a part under a key, from record 2',
      'a part without a key, from record 0',
      'a batch starts: size',
      'continues as new, batches in flight: 0',
    ],
  },
  'batcher-streams-going-on': {
    since: '0.3.0',
    tells: [
      'batcherWorkflow continues an earlier run',
      'a part under a key, from record 6',
      'a batch starts: manual',
      'a batch completes',
    ],
  },
  'batch-group-clean': {
    since: '0.3.0',
    tells: [
      'batchGroupWorkflow starts',
      'saveRecords succeeds locally',
      'closeBatches succeeds at attempt 1',
      'completes: 4 saved, 0 rolled back in 2 batches',
    ],
    neverTells: ['a timer', 'rollback', 'closeBatch ', 'the batcher is told'],
  },
  'batch-group-retries': {
    since: '0.3.0',
    tells: [
      'batchGroupWorkflow starts',
      'saveRecords succeeds locally',
      'closeBatches succeeds at attempt 1',
      'the batcher is told',
      'a timer fires',
      'rollback succeeds at attempt 1',
      'completes: 3 saved, 1 rolled back in 2 batches',
    ],
  },
  'batch-group-terminated': {
    since: '0.3.0',
    tells: ['batchGroupWorkflow starts', 'closeBatches succeeds at attempt 1', 'is terminated'],
  },
  'batch-group-settled': {
    since: '0.3.0',
    tells: [
      'batchGroupWorkflow starts',
      'settleBatch succeeds at attempt 1',
      'completes: 2 saved, 2 rolled back in 2 batches',
    ],
    neverTells: ['saveRecords', 'closeBatch'],
  },
  'batcher-groups-carried': {
    since: '0.3.0',
    tells: [
      'batcherWorkflow starts',
      'batches start together',
      'signal batchesClosed',
      'continues as new, batches in flight: 1',
    ],
  },
  'batcher-groups-adopted': {
    since: '0.3.0',
    tells: ['batcherWorkflow continues an earlier run', 'adoptBatch succeeds at attempt 1'],
  },
  'batcher-running-carried': {
    since: '0.3.0',
    tells: [
      'batcherWorkflow starts',
      'patched: running-scope',
      'signal addRecords',
      'a batch starts: age',
      'a batch completes',
      'continues as new, batches in flight: 1',
    ],
  },
  'batcher-running-adopted': {
    since: '0.3.0',
    tells: [
      'batcherWorkflow continues an earlier run',
      'patched: running-scope',
      'adoptBatch succeeds at attempt 1',
      'a timer fires',
      'a batch starts: manual',
      'a batch completes',
    ],
  },
} as const satisfies Record<string, ReplayCase>;

export type CaseName = keyof typeof CASES;
export const CASE_NAMES = Object.keys(CASES) as CaseName[];

/** Under which version a case is recorded: the one that is worked on, or that which will bring it when released. */
export function versionOf(name: CaseName, current: string): string {
  const { since = current }: ReplayCase = CASES[name];
  const isLater = since.localeCompare(current, 'en', { numeric: true }) > 0;
  return isLater ? since : current;
}

/** What a history lacks, or has too much, to stand for a case; empty when it deserves the name. */
export function shortcomings(name: CaseName, told: readonly string[]): string[] {
  const { tells, neverTells = [] }: ReplayCase = CASES[name];
  return [
    ...tells.filter((line) => !told.includes(line)).map((line) => `does not tell “${line}”`),
    ...told
      .filter((line) => neverTells.some((start) => line.startsWith(start)))
      .map((line) => `tells “${line}”`),
  ];
}
