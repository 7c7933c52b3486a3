/** `keepapart/client`: sends records to keepapart and operates it, from Node. See `docs/CLIENTS.md`. */
export { KeepapartClient, type KeepapartClientOptions, type SendOptions } from './client';
export type {
  AcceptedRecords,
  Asked,
  Caller,
  OperatorAnswer,
  OperatorCall,
  RedriveAnswer,
} from './answer-types';
export {
  KeepapartApiError,
  KeepapartSourceError,
  KeepapartTimeoutError,
  KeepapartUnreachableError,
  type ApiProblem,
  type BrokenStream,
} from './errors';
export type { Source, StreamProgress } from './ndjson';
export type { NdjsonPiece } from './ndjson-request';
export type { Retry, RetryOptions } from './retry';
export type { StreamOptions, StreamResult } from './stream';
export type { WaitOptions } from './wait-for-outcomes';

export type { BatcherCounters, DrainStatus, OperatorAction } from '../contracts/workflow/batcher-status';
export type { ControlsView, ControlView } from '../contracts/api/controls';
export type { FindView, FoundRequest, FoundView } from '../contracts/api/find';
export type { TaskQueueView, WorkersView, WorkerView } from '../contracts/api/workers';
export type {
  DeadLetter,
  DeadLetterGroup,
  DeadLetterGroups,
  RedrivenRecord,
  Redriven,
  RedriveResult,
  RedriveSelection,
} from '../contracts/api/dead-letters';
export type { DrainingShard, DrainReport } from '../contracts/api/drain';
export type { EventsOptions } from './events';
export type {
  HistoryChoice,
  Latency,
  LiveEvent,
  LiveHistory,
  LiveView,
  Overview,
  Point,
} from '../contracts/api/live';
export type { LimitsAnswer, OverriddenLimits, ShardLimits } from '../contracts/workflow/limits-answer';
export type { PipelineSettings } from '../contracts/workflow/settings';
export type {
  BatchCutView,
  BatchRecordView,
  BatchState,
  BatchSummary,
  BatchView,
  CutsView,
  RecordState,
  RecordView,
  RequestView,
  RuleCountView,
  RunView,
  PaceView,
  ShardView,
  ShardWaitsView,
  StatusView,
  WaitCountView,
  WaitsView,
  WaitView,
} from '../contracts/api/views';
export type { WaitsFor } from '../contracts/workflow/waits';
export type { FlushReason } from '../domain/records/batch';
export type { ConflictRule } from '../domain/rules';
export type { ErrorCode, ShardChange } from '../domain/errors';
export type { FieldProblem } from '../domain/field-problems';
export type { WhyNoLarger } from '../domain/explain';
export type { JsonValue } from '../domain/json';
export type { LimitKey, Limits, LimitsPatch } from '../domain/limits';
export type { MaxSavesPerSecond, PaceLimit } from '../domain/pace/pace-limits';
export type { Outcome } from '../domain/records/outcome';
export type { Right } from '../domain/rights';
export type { KeptRecord } from '../domain/records/record';
