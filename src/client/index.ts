/** `keepapart/client`: sends records to keepapart and operates it, from Node. See `docs/CLIENTS.md`. */
export { KeepapartClient, type KeepapartClientOptions, type SendOptions } from './client';
export type { Asked, OperatorCall } from './call-options';
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

export type { AcceptedRecords, Caller, OperatorAnswer } from '../contracts/api/answers/simple';
export type {
  RedriveAnswer,
  DeadLetter,
  DeadLetterGroup,
  DeadLetterGroups,
  RedrivenRecord,
  RedriveResult,
} from '../contracts/api/answers/dead-letters';
export type { BatcherCounters, DrainStatus, OperatorAction } from '../contracts/workflow/batcher-status';
export type { AuditsView, AuditView } from '../contracts/api/answers/audits';
export type { BufferedRecordView, BufferView } from '../contracts/api/answers/buffer';
export type { ControlsView, ControlView } from '../contracts/api/answers/controls';
export type { FindView, FoundRequest, FoundView } from '../contracts/api/answers/find';
export type { TaskQueueView, WorkersView, WorkerView } from '../contracts/api/answers/workers';
export type { RedriveSelection } from '../contracts/api/filters';
export type { Redriven, HistoryChoice, BatchState, RecordState } from '../contracts/api/states';
export type { DrainingShard, DrainReport } from '../contracts/api/answers/drain';
export type { EventsOptions } from './events';
export type { Latency, LiveView, Overview, Point } from '../contracts/api/answers/live';
export type { LiveEvent, LiveHistory } from '../contracts/api/live';
export type { LimitsAnswer, OverriddenLimits, ShardLimits } from '../contracts/workflow/limits-answer';
export type { PipelineSettings } from '../contracts/workflow/settings';
export type {
  BatchCutView,
  BatchRecordView,
  BatchSummary,
  BatchView,
} from '../contracts/api/answers/batches';
export type {
  RecordView,
  RequestView,
  ShardWaitsView,
  WaitCountView,
  WaitsView,
  WaitView,
} from '../contracts/api/answers/requests';
export type { RuleCountView } from '../contracts/api/answers/rules';
export type { CutsView, RunView, PaceView, ShardView, StatusView } from '../contracts/api/answers/status';
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
