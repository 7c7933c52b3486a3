import { computed, effect, signal } from '@preact/signals';
import type { AuditsView, AuditView } from '../contracts/api/answers/audits';
import type { BufferView } from '../contracts/api/answers/buffer';
import type { ControlsView } from '../contracts/api/answers/controls';
import type { DeadLetterGroups, DeadLetterPage, RedriveResult } from '../contracts/api/answers/dead-letters';
import type { RedriveSelection } from '../contracts/api/filters';
import type { FindView } from '../contracts/api/answers/find';
import type { WorkersView } from '../contracts/api/answers/workers';
import type { DrainReport } from '../contracts/api/answers/drain';
import type { LimitsAnswer } from '../contracts/workflow/limits-answer';
import type { LiveView, Point } from '../contracts/api/answers/live';
import type { LiveHistory } from '../contracts/api/live';
import { pointOf, type Reading } from '../contracts/api/live-points';
import type { BatchPage, BatchView } from '../contracts/api/answers/batches';
import type { RequestView, WaitsView } from '../contracts/api/answers/requests';
import type { StatusView } from '../contracts/api/answers/status';
import type { BatchState } from '../contracts/api/states';
import { SECOND } from '../domain/duration';
import type { JsonValue } from '../domain/json';
import type { LimitsPatch } from '../domain/limits';
import { RIGHTS, type Right } from '../domain/rights';
import { ApiProblem, apiKey, ask, CALLER_KNOWN, KEYS_REQUIRED, problemOf } from './api';
import { forgetEvents, receiveEvents } from './live';
import type { Control } from './model/confirm';
import { withPoint, withTen } from './model/history';

/* Everything that the dashboard knows of keepapart comes through here. */

/** The last status that arrived; it stays when the connection breaks. */
export const reading = signal<Reading | undefined>(undefined);
/** By the second, of the last 15 minutes: as far as the API remembers, and since this page was opened. */
export const points = signal<readonly Point[]>([]);
/** By ten seconds, of the last 6 hours. */
export const tens = signal<readonly Point[]>([]);
/** Since when the API has remembered; undefined while it doesn't say. */
export const rememberedSinceMs = signal<number | undefined>(undefined);
/** What the buffer waits for. */
export const waits = signal<WaitsView>({ shards: [] });
/** Whether the status is asked for, as events don't come through. */
export const isPolling = signal(false);
/** Why the last status is not of now, and since when. */
export const trouble = signal<{ problem: ApiProblem; sinceMs: number } | undefined>(undefined);
/** Whether somebody has stopped the picture. */
export const isFrozen = signal(false);
/** The time by which ages are told; it stands still with the picture. */
export const nowMs = signal(Date.now());
/** What the key may do, as far as is known. */
export const rights = signal<readonly Right[]>(RIGHTS);
/** Name of the key, where the API tells it. */
export const keyName = signal('');
export const needsKey = computed(
  () => (KEYS_REQUIRED && apiKey.value === '') || trouble.value?.problem.code === 'unauthorized',
);
export const isStale = computed(() => trouble.value !== undefined);

export function may(right: Right): boolean {
  return rights.value.includes(right);
}

/** Notices what a refusal says about the key. */
function learn(problem: ApiProblem): void {
  if (problem.code === 'forbidden' && problem.lacks !== undefined)
    rights.value = rights.value.filter((right) => right !== problem.lacks);
}

async function told<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const problem = problemOf(error);
    learn(problem);
    if (problem.code === 'unauthorized') trouble.value = { problem, sinceMs: Date.now() };
    throw problem;
  }
}

/**
 * Receives events as long as the page can be seen, has a key where one is needed, and isn't frozen; connects again when
 * the connection breaks. Where events don't come through (an older API, a proxy that holds them back, too many viewers),
 * asks for the status once a second instead, and tries again after a while.
 */
export function startWatching(): void {
  const isHidden = signal(document.hidden);
  document.addEventListener('visibilitychange', () => (isHidden.value = document.hidden));
  effect(() => {
    // A new key is tried at once, with all that it may do.
    const isThere = !KEYS_REQUIRED || apiKey.value !== '';
    rights.value = RIGHTS;
    keyName.value = '';
    trouble.value = undefined;
    forgetEvents();
    if (isThere) void readMe();
  });
  effect(() => {
    if (isHidden.value || isFrozen.value || needsKey.value) return undefined;
    const watching = new AbortController();
    void watch(watching.signal);
    return () => {
      watching.abort();
    };
  });
}

/** Why events may not come through although the API works. */
const NO_EVENTS = ['not-found', 'silent', 'too-many-connections'];
const TRY_EVENTS_AGAIN_MS = 60 * SECOND;

async function watch(signal: AbortSignal): Promise<void> {
  const isOver = () => signal.aborted;
  while (!isOver()) {
    try {
      await receiveEvents({ history: takeHistory, picture: takePicture }, signal);
    } catch (error) {
      if (isOver()) return;
      const problem = problemOf(error);
      learn(problem);
      if (NO_EVENTS.includes(problem.code)) await poll(signal, TRY_EVENTS_AGAIN_MS);
      else fail(problem);
    }
    await pause(SECOND);
  }
}

async function poll(signal: AbortSignal, forMs: number): Promise<void> {
  isPolling.value = true;
  const untilMs = Date.now() + forMs;
  while (!signal.aborted && Date.now() < untilMs) {
    await readStatus();
    await pause(SECOND);
  }
  isPolling.value = false;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function fail(problem: ApiProblem): void {
  trouble.value = { problem, sinceMs: trouble.value?.sinceMs ?? Date.now() };
}

function takeHistory({ sinceMs, seconds, tens: older }: LiveHistory): void {
  const known = points.value.at(-1)?.atMs ?? 0;
  rememberedSinceMs.value = sinceMs;
  points.value = [...points.value, ...seconds.filter(({ atMs }) => atMs > known)];
  const knownTen = tens.value.at(-1)?.atMs ?? 0;
  tens.value = [...tens.value, ...older.filter(({ atMs }) => atMs > knownTen)];
}

function takePicture({ atMs, status, silent, waits: told, point }: LiveView): void {
  if (status !== null) {
    reading.value = { atMs, status };
    waits.value = told;
    nowMs.value = atMs;
  }
  if (point !== null) addPoint(point);
  if (silent.length === 0) trouble.value = undefined;
  else fail(new ApiProblem('temporal-unavailable', 503, `No worker answers for ${silent.join(', ')}`));
}

function addPoint(point: Point): void {
  tens.value = withTen(tens.value, points.value, point);
  points.value = withPoint(points.value, point);
}

async function readStatus(): Promise<void> {
  try {
    const status = await told(ask<StatusView>('/v1/status'));
    const next = { atMs: Date.now(), status };
    waits.value = status.total.bufferedRecords > 0 ? await readWaits() : { shards: [] };
    addPoint(pointOf(next, reading.value, waits.value));
    reading.value = next;
    nowMs.value = next.atMs;
    trouble.value = undefined;
  } catch (error) {
    fail(problemOf(error));
  }
}

/** An API without `/v1/me` lets the page find out by being refused. */
async function readMe(): Promise<void> {
  try {
    const me = await ask<{ name?: string | null; rights?: Right[] }>('/v1/me');
    if (me.rights) rights.value = me.rights;
    keyName.value = me.name ?? '';
  } catch {
    // What it may do shows when it is refused.
  }
}

export const readWorkers = () => told(ask<WorkersView>('/v1/workers'));

export const readBuffer = () => told(ask<BufferView>('/v1/buffer'));

export const readAudits = () => told(ask<AuditsView>('/v1/audits'));

export const startAudit = (by: string) =>
  told(ask<AuditView>('/v1/audits', { method: 'POST', body: operator(by) }));

export const readControls = () => told(ask<ControlsView>('/v1/controls'));

export const readLetterGroups = () => told(ask<DeadLetterGroups>('/v1/dead-letters/groups'));

export const findAnything = (query: string) => told(ask<FindView>(`/v1/find${queryText({ q: query })}`));

export const readWaits = () => told(ask<WaitsView>('/v1/waits'));

export const sendRecords = (values: readonly JsonValue[], idempotencyKey?: string) =>
  told(ask<{ requestId: string }>('/v1/records', { method: 'POST', body: values, idempotencyKey }));

export const readRequest = (requestId: string) =>
  told(ask<RequestView>(`/v1/requests/${encodeURIComponent(requestId)}`));

export const readBatch = (batchId: string) =>
  told(ask<BatchView>(`/v1/batches/${encodeURIComponent(batchId)}`));

export interface BatchQuery {
  state?: BatchState | undefined;
  requestId?: string | undefined;
  cursor?: string | undefined;
  limit?: number;
}

export const readBatches = (query: BatchQuery) =>
  told(ask<BatchPage>(`/v1/batches${queryText({ limit: 200, ...query })}`));

export const readDeadLetters = (query: { redriven?: string; cursor?: string | undefined; limit?: number }) =>
  told(ask<DeadLetterPage>(`/v1/dead-letters${queryText(query)}`));

export const redrive = (selection: RedriveSelection, by: string) =>
  told(
    ask<RedriveResult>('/v1/dead-letters/redrive', {
      method: 'POST',
      body: { ...selection, ...operator(by) },
      timeoutMs: 120 * SECOND,
    }),
  );

export const changeLimits = (patch: LimitsPatch, by: string) =>
  told(ask<LimitsAnswer>('/v1/limits', { method: 'PATCH', body: { ...patch, ...operator(by) } }));

/** Pauses, resumes or flushes; drains with the report. */
export async function control(action: Control, by: string): Promise<string> {
  if (action !== 'drain') {
    await told(ask(`/v1/${action}`, { method: 'POST', body: operator(by) }));
    return { pause: 'Paused', resume: 'Resumed', flush: 'Flushed' }[action];
  }
  const body = { ...operator(by), timeoutMs: 30 * SECOND };
  const report = await told(ask<DrainReport>('/v1/drain', { method: 'POST', body, timeoutMs: 45 * SECOND }));
  return report.drained
    ? 'Drained: everything has its outcome'
    : 'The drain goes on: not everything has its outcome yet';
}

function operator(by: string): { by?: string } {
  return by === '' || CALLER_KNOWN ? {} : { by };
}

function queryText(query: Record<string, string | number | undefined>): string {
  const params = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return params.length === 0 ? '' : `?${new URLSearchParams(params).toString()}`;
}
