"""What the API answers and accepts, as /openapi.json describes it.

Written by `npm run python:models`; a test compares it with the API. Later releases may add fields to answers.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypeAlias, TypedDict

JsonValue: TypeAlias = None | bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"]


class LimitsPatch(TypedDict):
    by: NotRequired[str]
    maxBatchSize: NotRequired[int | None]
    conflicts: NotRequired[list[ConflictRule] | None]
    flushIntervalMs: NotRequired[int | None]
    batchSpacingMs: NotRequired[int | None]
    maxSavesPerSecond: NotRequired[int | list[PaceLimit] | None]
    maxInFlight: NotRequired[int | None]
    maxAttempts: NotRequired[int | None]
    retryIntervalMs: NotRequired[int | None]


class ConflictRule1(TypedDict):
    pair: list[str | float | bool | dict[str, JsonValue] | None]
    at: NotRequired[str]
    same: NotRequired[str | list[str]]


class ConflictRule2(TypedDict):
    group: list[str | float | bool | dict[str, JsonValue] | None]
    at: NotRequired[str]
    same: NotRequired[str | list[str]]


class ConflictRule3(TypedDict):
    distinct: str
    same: NotRequired[str | list[str]]


class ConflictRule4(TypedDict):
    alike: str
    same: NotRequired[str | list[str]]


class ConflictRule5Never(TypedDict):
    left: Selector
    right: Selector


class ConflictRule5(TypedDict):
    never: ConflictRule5Never
    same: NotRequired[str | list[str]]


ConflictRule: TypeAlias = "ConflictRule1 | ConflictRule2 | ConflictRule3 | ConflictRule4 | ConflictRule5"


Selector = TypedDict(
    "Selector",
    {
        "at": "NotRequired[str]",
        "equals": "NotRequired[str | float | bool | dict[str, JsonValue] | None]",
        "in": "NotRequired[list[str | float | bool | dict[str, JsonValue] | None]]",
        "prefix": "NotRequired[str]",
        "atLeast": "NotRequired[float | str]",
        "above": "NotRequired[float | str]",
        "atMost": "NotRequired[float | str]",
        "below": "NotRequired[float | str]",
    },
)


class PaceLimit(TypedDict):
    at: NotRequired[str]
    perSecond: int


class AcceptedListRecordsItem(TypedDict):
    recordId: str
    value: str | float | bool | dict[str, JsonValue] | None


class AcceptedList(TypedDict):
    requestId: str
    accepted: int
    records: list[AcceptedListRecordsItem]


class AcceptedStream(TypedDict):
    requestId: str
    accepted: int


class ProblemProblemsItem(TypedDict):
    field: str
    expected: str
    received: str


class ProblemShardsItem(TypedDict):
    batcher: str
    change: Literal["changed", "refused", "unknown"]
    reason: NotRequired[str]


class Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    instance: NotRequired[str]
    code: Literal["invalid-json", "invalid-request", "unsupported-media-type", "request-too-large", "header-too-large", "malformed-request", "request-timeout", "unauthorized", "forbidden", "cross-origin", "unknown-host", "not-found", "method-not-allowed", "request-not-found", "batch-not-found", "dead-letter-not-found", "buffer-full", "rate-limited", "idempotency-key-reused", "stream-overtaken", "request-too-long", "limits-incomplete", "temporal-unavailable", "encryption-key-missing", "not-ready", "too-many-connections", "internal"]
    problems: NotRequired[list[ProblemProblemsItem]]
    shards: NotRequired[list[ProblemShardsItem]]
    requestId: NotRequired[str]
    accepted: NotRequired[int]


class Request(TypedDict):
    requestId: str
    redriveOf: NotRequired[str]
    counts: dict[str, int]
    records: list[Record]


class Record(TypedDict):
    recordId: str
    state: Literal["buffered", "in_batch", "saved", "rolled_back"]
    batchId: NotRequired[str]
    attempts: NotRequired[int]
    error: NotRequired[str]
    waitsFor: NotRequired[Wait]


class WaitHeldBy(TypedDict):
    rule: NotRequired[ConflictRuleOutput]
    batchId: NotRequired[str]
    recordId: NotRequired[str]


Wait = TypedDict(
    "Wait",
    {
        "text": "str",
        "for": "Literal['resume', 'older_records', 'conflict', 'age', 'store', 'slot', 'spacing', 'pace', 'gathering', 'start']",
        "until": "NotRequired[str]",
        "heldBy": "NotRequired[WaitHeldBy]",
        "by": "NotRequired[str]",
        "since": "NotRequired[str]",
        "reason": "NotRequired[str]",
        "passedOverBy": "NotRequired[list[ConflictRuleOutput]]",
        "keptApartBy": "NotRequired[list[ConflictRuleOutput]]",
    },
)


class BatchPage(TypedDict):
    batches: list[BatchSummary]
    nextCursor: str | None


class BatchSummary(TypedDict):
    batchId: str
    batcher: str
    state: Literal["running", "completed", "failed"]
    flushReason: Literal["size", "age", "manual", "drain"]
    requestIds: list[str]
    startedAt: str
    closedAt: str | None
    saved: int | None
    rolledBack: int | None
    retries: int | None
    runId: str


class BatchRecordsItem(TypedDict):
    recordId: str
    value: str | float | bool | dict[str, JsonValue] | None
    outcome: Literal["saved", "rolled_back"] | None
    attempts: int | None
    error: str | None


class Batch(TypedDict):
    batchId: str
    batcher: str
    state: Literal["running", "completed", "failed"]
    flushReason: Literal["size", "age", "manual", "drain"]
    requestIds: list[str]
    startedAt: str
    closedAt: str | None
    saved: int | None
    rolledBack: int | None
    retries: int | None
    runId: str
    file: str | None
    cut: BatchCut
    saving: BatchSaving
    work: list[BatchWork]
    records: list[BatchRecordsItem]


class BatchCut(TypedDict):
    text: str
    maxBatchSize: int
    why: Literal["full", "nothing_left", "rules", "bytes", "spread", "held_up", "paced"]
    oldestMs: float | None
    left: int | None
    unseen: int | None
    keptOut: list[RuleCount]
    tooLarge: int | None
    fitting: int | None


class RuleCount(TypedDict):
    rule: ConflictRuleOutput
    records: int


class BatchSaving(TypedDict):
    text: str
    shape: Literal["record", "batch"]
    due: int | None


class BatchWork(TypedDict):
    text: str
    step: Literal["saving", "undoing", "closing", "settling"]
    attempt: int
    error: str | None
    waitsForStoreSince: str | None


class StatusTotal(TypedDict):
    bufferedRecords: int
    bufferedBytes: int
    oldestAgeMs: float | None
    oldestDueAgeMs: float | None
    inFlight: int
    inFlightRecords: int
    unaccounted: int
    counters: Counters
    cuts: Cuts
    paused: bool


class Status(TypedDict):
    shards: list[Shard]
    total: StatusTotal
    settings: Settings


class ShardPace1(TypedDict):
    room: int | None
    values: int
    heldRecords: int
    until: str | None


class ShardStoreAway1(TypedDict):
    since: str
    reason: str
    workers: int
    holdsBack: bool


class ShardDrain1(TypedDict):
    by: str
    atMs: float
    bufferedRecords: int
    inFlight: int


class Shard(TypedDict):
    shard: int
    batcher: str
    bufferedRecords: int
    bufferedBytes: int
    oldestAgeMs: float | None
    oldestDueAgeMs: float | None
    inFlight: int
    inFlightRecords: int
    unaccounted: int
    counters: Counters
    cuts: Cuts
    pages: int
    run: Run
    saving: Saving
    paused: OperatorAction | None
    pace: ShardPace1 | None
    storeAway: ShardStoreAway1 | None
    drain: ShardDrain1 | None
    overridden: OverriddenLimits


class Counters(TypedDict):
    accepted: int
    batchesStarted: int
    batchesCompleted: int
    batchesFailed: int
    duplicateRequests: int
    repeatedMessages: int
    malformedMessages: int
    saved: int
    rolledBack: int
    retries: int
    lost: int


class Cuts(TypedDict):
    batches: int
    records: int
    places: int
    fillRatio: float | None
    lowerBound: int
    deferred: int
    deferredBy: list[RuleCount]


class Run(TypedDict):
    historyEvents: int
    historyBytes: int
    messages: int
    continuedAsNew: int


class Saving(TypedDict):
    shape: Literal["record", "batch"]
    since: str | None
    due: int | None
    storeIsSlow: bool


class OperatorAction(TypedDict):
    by: str
    atMs: float


class OverriddenLimitsMaxBatchSize(TypedDict):
    by: str
    atMs: float
    value: int
    configured: int


class OverriddenLimitsConflicts(TypedDict):
    by: str
    atMs: float
    value: list[ConflictRuleOutput]
    configured: list[ConflictRuleOutput]


class OverriddenLimitsFlushIntervalMs(TypedDict):
    by: str
    atMs: float
    value: int
    configured: int


class OverriddenLimitsBatchSpacingMs(TypedDict):
    by: str
    atMs: float
    value: int
    configured: int


class OverriddenLimitsMaxSavesPerSecond(TypedDict):
    by: str
    atMs: float
    value: int | list[PaceLimitOutput]
    configured: int | list[PaceLimitOutput]


class OverriddenLimitsMaxInFlight(TypedDict):
    by: str
    atMs: float
    value: int
    configured: int


class OverriddenLimitsMaxAttempts(TypedDict):
    by: str
    atMs: float
    value: int
    configured: int


class OverriddenLimitsRetryIntervalMs(TypedDict):
    by: str
    atMs: float
    value: int
    configured: int


class OverriddenLimits(TypedDict):
    maxBatchSize: NotRequired[OverriddenLimitsMaxBatchSize]
    conflicts: NotRequired[OverriddenLimitsConflicts]
    flushIntervalMs: NotRequired[OverriddenLimitsFlushIntervalMs]
    batchSpacingMs: NotRequired[OverriddenLimitsBatchSpacingMs]
    maxSavesPerSecond: NotRequired[OverriddenLimitsMaxSavesPerSecond]
    maxInFlight: NotRequired[OverriddenLimitsMaxInFlight]
    maxAttempts: NotRequired[OverriddenLimitsMaxAttempts]
    retryIntervalMs: NotRequired[OverriddenLimitsRetryIntervalMs]


class Settings(TypedDict):
    maxBatchSize: int
    conflicts: list[ConflictRuleOutput]
    flushIntervalMs: int
    batchSpacingMs: int
    maxSavesPerSecond: int | list[PaceLimitOutput]
    maxInFlight: int
    maxAttempts: int
    retryIntervalMs: int
    conflictScope: Literal["file", "running"]
    apartMs: int
    outcomeFormat: Literal["text", "json"]
    onFailure: Literal["keep", "rollback_batch"]
    saveActivity: Literal["auto", "record", "batch"]
    idempotencyWindowMs: int
    idempotencyWindowKeys: int


class WaitsShardsItemWaitsItemHeldBy(TypedDict):
    rule: NotRequired[ConflictRuleOutput]
    batchId: NotRequired[str]
    recordId: NotRequired[str]


WaitsShardsItemWaitsItem = TypedDict(
    "WaitsShardsItemWaitsItem",
    {
        "text": "str",
        "for": "Literal['resume', 'older_records', 'conflict', 'age', 'store', 'slot', 'spacing', 'pace', 'gathering', 'start']",
        "until": "NotRequired[str]",
        "heldBy": "NotRequired[WaitsShardsItemWaitsItemHeldBy]",
        "by": "NotRequired[str]",
        "since": "NotRequired[str]",
        "reason": "NotRequired[str]",
        "records": "int",
    },
)


class WaitsShardsItem(TypedDict):
    shard: int
    batcher: str
    bufferedRecords: int
    waits: list[WaitsShardsItemWaitsItem]
    rules: list[RuleCount]


class Waits(TypedDict):
    shards: list[WaitsShardsItem]


class Caller(TypedDict):
    name: str | None
    rights: list[Literal["ingest", "read", "operate"]]


class LiveEvent1(TypedDict):
    event: Literal["picture"]
    id: str
    data: Picture


class LiveEvent2(TypedDict):
    event: Literal["history"]
    id: str
    data: History


LiveEvent: TypeAlias = "LiveEvent1 | LiveEvent2"


class Picture(TypedDict):
    atMs: float
    status: Status | None
    waits: Waits
    asOfMs: float | None
    silent: list[str]
    point: Point | None


class Point(TypedDict):
    atMs: float
    accepted: float | None
    saved: float | None
    rolledBack: float | None
    retries: float | None
    oldestAgeMs: float
    dueAgeMs: float
    buffered: int
    inFlight: int
    fill: float | None
    batches: float | None
    lowerBound: float | None
    waits: dict[str, int]
    refused: dict[str, float]
    commit: Latency | None
    save: Latency | None


class Latency(TypedDict):
    p50: float
    p95: float
    p99: float


class History(TypedDict):
    sinceMs: float
    fields: list[str]
    seconds: list[list[JsonValue]]
    tens: list[list[JsonValue]]


class FoundFoundItem1(TypedDict):
    kind: Literal["record"]
    record: Record
    request: FoundRequest


class FoundFoundItem2(TypedDict):
    kind: Literal["request", "log"]
    request: FoundRequest


class FoundFoundItem3(TypedDict):
    kind: Literal["batch"]
    batch: BatchSummary
    file: str | None


class Found(TypedDict):
    query: str
    found: list[FoundFoundItem1 | FoundFoundItem2 | FoundFoundItem3]


class FoundRequest(TypedDict):
    requestId: str
    redriveOf: str | None
    records: int
    counts: dict[str, int]


class Buffer(TypedDict):
    shards: list[ShardBuffer]


class ShardBuffer(TypedDict):
    shard: int
    batcher: str
    records: list[BufferedRecord]
    more: int


class BufferedRecordHeldBy1(TypedDict):
    batches: list[str]
    until: str | None


class BufferedRecord(TypedDict):
    recordId: str
    value: str | float | bool | dict[str, JsonValue] | None
    acceptedAt: str
    heldBy: BufferedRecordHeldBy1 | None


class WorkersSlots(TypedDict):
    activities: int
    workflowTasks: int


class Workers(TypedDict):
    atMs: float
    isServed: bool
    workers: list[Worker]
    taskQueues: list[TaskQueue]
    slots: WorkersSlots


class Worker(TypedDict):
    identity: str
    buildId: str | None
    lastPolledAt: str
    taskQueues: list[str]


class TaskQueue(TypedDict):
    name: str
    kind: Literal["workflow", "activity"]
    purpose: str
    pollers: int
    backlog: int | None
    backlogAgeMs: float | None
    addedPerSecond: float | None
    dispatchedPerSecond: float | None


class Controls(TypedDict):
    controls: list[Control]


class Control(TypedDict):
    action: Literal["pause", "resume", "flush", "drain", "limits", "redrive", "configure"]
    by: str
    at: str
    detail: str | None
    shards: list[int]


class Audits(TypedDict):
    audits: list[Audit]


class Audit(TypedDict):
    auditId: str
    by: str
    state: Literal["running", "completed", "failed"]
    startedAt: str
    closedAt: str | None
    progress: AuditProgress | None
    result: AuditResult | None
    error: str | None


class AuditProgress(TypedDict):
    stage: Literal["batches", "files", "store"]
    done: int
    of: int | None


class AuditResult(TypedDict):
    clean: bool
    worker: str
    files: int
    saved: int
    rolledBack: int
    batches: int
    running: int
    filesLeftOut: int
    batchesLeftOut: bool
    silentBatchers: list[str]
    damage: list[AuditDamage]


class AuditDamagePlacesItem(TypedDict):
    text: str
    find: str | None


class AuditDamage(TypedDict):
    title: str
    guarantee: str | None
    count: int
    places: list[AuditDamagePlacesItem]


class Action(TypedDict):
    accepted: Literal[True]
    action: Literal["flush", "pause", "resume"]
    by: str


class DeadLetterPage(TypedDict):
    deadLetters: list[DeadLetter]
    nextCursor: str | None


class DeadLetter(TypedDict):
    recordId: str
    requestId: str
    value: str | float | bool | dict[str, JsonValue] | None
    attempts: int
    error: str | None
    rollbackError: str | None
    at: str
    batchId: str
    batcher: str
    file: str
    redriveOf: str | None
    redrivenAs: str | None


class DeadLetterGroups(TypedDict):
    groups: list[DeadLetterGroup]
    isWhole: bool


class DeadLetterGroup(TypedDict):
    error: str
    records: int
    oldestAt: str
    newestAt: str
    forgottenAt: str | None
    examples: list[str]


class RedriveResultRedrivenItem(TypedDict):
    recordId: str
    requestId: str


class RedriveResultAlreadyRedrivenItem(TypedDict):
    recordId: str
    requestId: str


class RedriveResult(TypedDict):
    redriven: list[RedriveResultRedrivenItem]
    alreadyRedriven: list[RedriveResultAlreadyRedrivenItem]
    notFound: list[str]
    by: str


class LimitsAnswerShardsItem(TypedDict):
    shard: int
    batcher: str
    limits: Limits
    overridden: OverriddenLimits


class LimitsAnswer(TypedDict):
    by: str
    atMs: float
    shards: list[LimitsAnswerShardsItem]


class Limits(TypedDict):
    maxBatchSize: int
    conflicts: list[ConflictRuleOutput]
    flushIntervalMs: int
    batchSpacingMs: int
    maxSavesPerSecond: int | list[PaceLimitOutput]
    maxInFlight: int
    maxAttempts: int
    retryIntervalMs: int


class DrainReportShardsItemStoreAway1(TypedDict):
    since: str
    reason: str
    workers: int
    holdsBack: bool


class DrainReportShardsItem(TypedDict):
    shard: int
    batcher: str
    bufferedRecords: int
    inFlight: int
    paused: OperatorAction | None
    storeAway: DrainReportShardsItemStoreAway1 | None


class DrainReport(TypedDict):
    by: str
    atMs: float
    drained: bool
    shards: list[DrainReportShardsItem]


class Health(TypedDict):
    status: Literal["ok", "ready"]
    storeAwaySince: NotRequired[str]


class ConflictRuleOutput1(TypedDict):
    pair: list[str | float | bool | dict[str, JsonValue] | None]
    at: NotRequired[str]
    same: NotRequired[str | list[str]]


class ConflictRuleOutput2(TypedDict):
    group: list[str | float | bool | dict[str, JsonValue] | None]
    at: NotRequired[str]
    same: NotRequired[str | list[str]]


class ConflictRuleOutput3(TypedDict):
    distinct: str
    same: NotRequired[str | list[str]]


class ConflictRuleOutput4(TypedDict):
    alike: str
    same: NotRequired[str | list[str]]


class ConflictRuleOutput5Never(TypedDict):
    left: SelectorOutput
    right: SelectorOutput


class ConflictRuleOutput5(TypedDict):
    never: ConflictRuleOutput5Never
    same: NotRequired[str | list[str]]


ConflictRuleOutput: TypeAlias = "ConflictRuleOutput1 | ConflictRuleOutput2 | ConflictRuleOutput3 | ConflictRuleOutput4 | ConflictRuleOutput5"


SelectorOutput = TypedDict(
    "SelectorOutput",
    {
        "at": "NotRequired[str]",
        "equals": "NotRequired[str | float | bool | dict[str, JsonValue] | None]",
        "in": "NotRequired[list[str | float | bool | dict[str, JsonValue] | None]]",
        "prefix": "NotRequired[str]",
        "atLeast": "NotRequired[float | str]",
        "above": "NotRequired[float | str]",
        "atMost": "NotRequired[float | str]",
        "below": "NotRequired[float | str]",
    },
)


class PaceLimitOutput(TypedDict):
    at: NotRequired[str]
    perSecond: int
