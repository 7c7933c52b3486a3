import { computed, effect, signal } from '@preact/signals';
import type { DeadLetterPage, RedriveResult, RedriveSelection } from '../contracts/api/dead-letters';
import type { DrainReport } from '../contracts/api/drain';
import type { LimitsAnswer } from '../contracts/workflow/limits-answer';
import type {
  BatchPage,
  BatchState,
  BatchView,
  RequestView,
  StatusView,
  WaitsView,
} from '../contracts/api/views';
import { SECOND } from '../domain/duration';
import type { JsonValue } from '../domain/json';
import type { LimitsPatch } from '../domain/limits';
import { RIGHTS, type Right } from '../domain/rights';
import { apiKey, ask, KEYS_REQUIRED, problemOf, type ApiProblem } from './api';
import type { Control } from './model/confirm';
import { pointOf, withPoint, type Point, type Reading } from './model/history';

/*
 * Everything that the dashboard knows of keepapart comes through here. The status is asked for once a second while
 * anybody looks; whatever pushes it instead changes this file alone.
 */

/** The last status that arrived; it stays when the connection breaks. */
export const reading = signal<Reading | undefined>(undefined);
/** Since this page was opened, 15 minutes at most. */
export const points = signal<Point[]>([]);
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

/** Asks for the status once a second, as long as the page can be seen, has a key where one is needed, and isn't frozen. */
export function startWatching(): void {
  // Each beginning ends the round before, also one that still waits for its answer: there is never more than one.
  let round = 0;
  const begin = async () => {
    const own = ++round;
    while (own === round) {
      if (!document.hidden && !isFrozen.value && !needsKey.value) await readStatus();
      await new Promise((resolve) => setTimeout(resolve, SECOND));
    }
  };
  effect(() => {
    // A new key is tried at once, with all that it may do.
    const isThere = !KEYS_REQUIRED || apiKey.value !== '';
    rights.value = RIGHTS;
    keyName.value = '';
    trouble.value = undefined;
    if (isThere) void readMe();
    setTimeout(() => void begin());
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void begin();
  });
}

async function readStatus(): Promise<void> {
  try {
    const status = await told(ask<StatusView>('/v1/status'));
    const next = { atMs: Date.now(), status };
    const before = reading.value;
    points.value = withPoint(points.value, pointOf(next, before));
    reading.value = next;
    nowMs.value = next.atMs;
    trouble.value = undefined;
  } catch (error) {
    trouble.value = { problem: problemOf(error), sinceMs: trouble.value?.sinceMs ?? Date.now() };
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

export const readWaits = () => told(ask<WaitsView>('/v1/waits'));

export const sendRecords = (values: readonly JsonValue[]) =>
  told(ask<{ requestId: string }>('/v1/records', { method: 'POST', body: values }));

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
  return by === '' || KEYS_REQUIRED ? {} : { by };
}

function queryText(query: Record<string, string | number | undefined>): string {
  const params = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return params.length === 0 ? '' : `?${new URLSearchParams(params).toString()}`;
}
