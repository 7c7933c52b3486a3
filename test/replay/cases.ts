/** One kind of life of a workflow that a version's corpus has to hold. Lines are those of `tellHistory`. */
export interface ReplayCase {
  /** The version that brought what it shows; the first release unless given. */
  since?: string;
  /** What its history must tell to deserve the name. */
  tells: readonly string[];
  /** What it must not tell, as a beginning of a line. */
  neverTells?: readonly string[];
}

/** Nothing older needs to replay. */
const FIRST_RELEASE = '0.3.0';

/** Children that save record by record, and pages. */
const CASES_OF_RECORDS = {
  'child-clean': {
    tells: [
      'batchesWorkflow starts',
      'save succeeds at attempt 1',
      'closeBatches succeeds in the task',
      'completes: saved, saved, saved',
    ],
    neverTells: [
      'closeBatches succeeds at attempt 1',
      'save fails',
      'save succeeds at attempt 2',
      'rollback',
      'the batcher is told',
    ],
  },
  'child-retries': {
    tells: [
      'batchesWorkflow starts',
      'save succeeds at attempt 1',
      'save succeeds at attempt 2',
      'save succeeds at attempt 3',
      'completes: saved, saved, saved',
    ],
    neverTells: ['rollback'],
  },
  'child-rollback': {
    tells: [
      'batchesWorkflow starts',
      'save succeeds at attempt 1',
      'save fails for good: MAXIMUM_ATTEMPTS_REACHED',
      'save fails for good: NON_RETRYABLE_FAILURE',
      'rollback succeeds in the task',
      'completes: saved, rolled_back, rolled_back',
    ],
  },
  'child-all-or-nothing': {
    tells: [
      'batchesWorkflow starts',
      'save succeeds at attempt 1',
      'save fails for good: NON_RETRYABLE_FAILURE',
      'rollback succeeds in the task',
      'completes: rolled_back, rolled_back',
    ],
  },
  'child-tried-again': {
    tells: [
      'save succeeds at attempt 1',
      'save fails for good: NON_RETRYABLE_FAILURE',
      'rollback fails in the task',
      'rollback succeeds at attempt 1',
      'closeBatches fails in the task',
      'closeBatches succeeds at attempt 1',
      'completes: saved, rolled_back',
    ],
  },
  'child-cancelled': {
    tells: [
      'batchesWorkflow starts',
      'save succeeds at attempt 1',
      'cancellation is requested',
      'save is called off',
      'rollback succeeds in the task',
      'closeBatches succeeds in the task',
      'completes: saved, rolled_back',
    ],
  },
  'child-refused': {
    tells: [
      'batchesWorkflow starts',
      'save succeeds at attempt 1',
      'closeBatches succeeds in the task',
      'settleBatch succeeds at attempt 1',
      'completes: rolled_back',
    ],
  },
  'child-terminated': { tells: ['batchesWorkflow starts', 'is terminated'], neverTells: ['saves in bulk'] },
  'child-settled': {
    tells: [
      'batchesWorkflow starts',
      'settles what an earlier run left',
      'settleBatch succeeds at attempt 1',
      'completes: rolled_back',
    ],
    neverTells: ['save succeeds'],
  },
  'page-taken-in': { tells: ['bufferPageWorkflow starts', 'signal takenIn', 'completes'] },
} as const satisfies Record<string, ReplayCase>;

const CASES_IN_BULK = {
  'child-bulk-clean': {
    tells: [
      'batchesWorkflow starts',
      'saves in bulk',
      'saveBatches succeeds at attempt 1',
      'closeBatches succeeds at attempt 1',
      'completes: 4 saved, 0 rolled back in 2 batches',
    ],
    neverTells: ['a timer', 'rollback', 'the batcher is told'],
  },
  'child-bulk-retries': {
    tells: [
      'saves in bulk',
      'attempt 1 saves all but 3 records',
      'the batcher is told',
      'a timer fires',
      'attempt 2 saves all but 1 record',
      'attempt 3 saves all but 1 record',
      'rollback succeeds at attempt 1',
      'completes: 6 saved, 2 rolled back in 4 batches',
    ],
  },
  'child-bulk-all-or-nothing': {
    tells: [
      'saves in bulk',
      'attempt 1 saves all but 1 record',
      'rollback succeeds at attempt 1',
      'completes: 2 saved, 2 rolled back in 2 batches',
    ],
  },
  'child-bulk-cancelled': {
    tells: [
      'saves in bulk',
      'a timer starts',
      'cancellation is requested',
      'rollback succeeds at attempt 1',
      'completes: 3 saved, 1 rolled back in 2 batches',
    ],
    neverTells: ['a timer fires'],
  },
  'child-bulk-refused': {
    tells: [
      'saves in bulk',
      'closeBatches succeeds at attempt 1',
      'settleBatch succeeds at attempt 1',
      'completes: 2 saved, 2 rolled back in 2 batches',
    ],
  },
  'child-bulk-terminated': {
    tells: ['saves in bulk', 'closeBatches succeeds at attempt 1', 'the batcher is told', 'is terminated'],
  },
  'child-bulk-settled': {
    tells: [
      'settles what an earlier run left',
      'settleBatch succeeds at attempt 1',
      'completes: 2 saved, 2 rolled back in 2 batches',
    ],
    neverTells: ['saveBatches', 'closeBatches'],
  },
} as const satisfies Record<string, ReplayCase>;

/** What batchers do with children: starting, carrying, adopting and settling them. */
const CASES_OF_BATCHERS = {
  'batcher-size-and-age': {
    tells: [
      'batcherWorkflow starts',
      'signal addRecords',
      'a batch starts: size',
      'a timer fires',
      'a batch starts: age',
      'a child completes',
    ],
  },
  'batcher-continued-as-new': {
    tells: ['batcherWorkflow starts', 'a batch starts: size', 'continues as new, children in flight: 2'],
  },
  'batcher-adopting': {
    tells: [
      'batcherWorkflow continues an earlier run',
      'adoptChild succeeds at attempt 1',
      'a batch starts: manual',
      'a child completes',
    ],
  },
  'batcher-bulk-carried': {
    tells: [
      'batcherWorkflow starts',
      '2 batches start in bulk: size',
      'signal childProgress',
      'continues as new, children in flight: 1',
    ],
  },
  'batcher-bulk-adopted': {
    tells: ['batcherWorkflow continues an earlier run', 'adoptChild succeeds at attempt 1'],
  },
  'batcher-settling': {
    tells: [
      'batcherWorkflow starts',
      'a batch starts: age',
      'a child is terminated',
      'restartChild succeeds at attempt 1',
      'adoptChild succeeds at attempt 1',
    ],
  },
  'batcher-bulk-settling': {
    tells: [
      '2 batches start in bulk: size',
      'signal childProgress',
      'a child is terminated',
      'restartChild succeeds at attempt 1',
      'adoptChild succeeds at attempt 1',
    ],
  },
  'batcher-both-shapes': {
    tells: [
      'batcherWorkflow starts',
      'a batch starts: age',
      'a batch starts: size',
      '12 batches start in bulk: size',
      'signal childProgress',
      'a batch starts: manual',
      'a child completes',
    ],
  },
  'batcher-slow-store': {
    tells: ['batcherWorkflow starts', 'a batch starts: manual', '11 batches start in bulk: size'],
  },
  'batcher-reset': {
    tells: [
      'batcherWorkflow starts',
      'findStarted succeeds at attempt 1',
      'findLeft succeeds at attempt 1',
      'a batch starts: size',
      'a child completes',
    ],
    // What the run that was reset heard completing is only counted.
    neverTells: ['an id is taken', 'adoptChild succeeds at attempt 1'],
  },
  'batcher-begun-again': {
    tells: [
      'batcherWorkflow starts',
      'an id is taken',
      'readChild succeeds at attempt 1',
      'a child completes',
    ],
  },
  'batcher-paced-carried': {
    tells: [
      'batcherWorkflow starts',
      'signal addRecords',
      'a batch starts: size',
      'a child completes',
      'continues as new, children in flight: 0',
    ],
  },
  'batcher-paced-on': {
    tells: [
      'batcherWorkflow continues an earlier run',
      'a timer fires',
      'a batch starts: size',
      'update limits',
      'a child completes',
    ],
  },
  'batcher-running-carried': {
    tells: [
      'batcherWorkflow starts',
      'signal addRecords',
      'a batch starts: age',
      'a child completes',
      'continues as new, children in flight: 1',
    ],
  },
  'batcher-running-adopted': {
    tells: [
      'batcherWorkflow continues an earlier run',
      'adoptChild succeeds at attempt 1',
      'a timer fires',
      'a batch starts: manual',
      'a child completes',
    ],
  },
} as const satisfies Record<string, ReplayCase>;

/** What batchers do with messages. */
const CASES_OF_MESSAGES = {
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
  'batcher-malformed': {
    tells: ['batcherWorkflow starts', 'signal addRecords', 'signal childProgress', 'a batch starts: manual'],
  },
  'batcher-rules': {
    tells: ['batcherWorkflow starts', 'a batch starts: size', 'a batch starts: manual', 'a child completes'],
  },
  'batcher-spilling': {
    tells: [
      'batcherWorkflow starts',
      'signal pause',
      'signal addRecords',
      'a page starts',
      'continues as new, children in flight: 0',
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
  'batcher-keys': {
    tells: [
      'batcherWorkflow continues an earlier run',
      'update take',
      'signal addRecords',
      'a batch starts: manual',
      'a child completes',
    ],
  },
  'batcher-redriving': {
    tells: ['batcherWorkflow starts', 'signal addRecords', 'update take', 'a batch starts: age'],
  },
  'batcher-limits': {
    tells: [
      'batcherWorkflow continues an earlier run',
      'update limits',
      'signal configure',
      'a batch starts: size',
      'a batch starts: manual',
      'a child completes',
    ],
  },
  'batcher-streams': {
    tells: [
      'batcherWorkflow starts',
      'update layout',
      'update take',
      'a part under a key, from record 0',
      'a part under a key, from record 2',
      'a part without a key, from record 0',
      'a batch starts: size',
      'continues as new, children in flight: 0',
    ],
  },
  'batcher-streams-going-on': {
    tells: [
      'batcherWorkflow continues an earlier run',
      'a part under a key, from record 6',
      'a batch starts: manual',
      'a child completes',
    ],
  },
} as const satisfies Record<string, ReplayCase>;

/** By the name in the file: `<version>-<workflow>-<case>.json`. */
export const CASES = { ...CASES_OF_RECORDS, ...CASES_IN_BULK, ...CASES_OF_BATCHERS, ...CASES_OF_MESSAGES };

export type CaseName = keyof typeof CASES;
export const CASE_NAMES = Object.keys(CASES) as CaseName[];

/** Under which version a case is recorded: the one that is worked on, or that which will bring it when released. */
export function versionOf(name: CaseName, current: string): string {
  const { since = FIRST_RELEASE }: ReplayCase = CASES[name];
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
