import { join } from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import { addRecordsSignal, type AcceptedRequest } from '../../src/contracts/workflow/batcher';
import type { ConflictRule } from '../../src/domain/rules';
import { createFileStore } from '../../src/store/file-store';
import { audit, readBatchFiles } from '../helpers/audit';
import { auditHere, writeLedger } from '../helpers/audit-command';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { storeFolders } from '../helpers/store-folders';
import { startSystem, type System } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';

jest.setTimeout(180_000);

const CLIENTS = 48;
const LISTS_EACH = 4;
/** After so many acknowledged lists the API is killed. */
const KILLS_AFTER = [30, 80];
const RULES: ConflictRule[] = [{ pair: ['a', 'b'], at: '/kind' }];
const MAX_BATCH_SIZE = 20;

type Record = { id: string; kind: string };

let pipeline: TestPipeline;
let api: Promise<System>;
afterEach(async () => {
  await (await api).killGroup();
  await pipeline.close();
});

test('kill -9 of an API whose clients share signals loses nothing acknowledged and doubles nothing (G3, G4, G5).', async () => {
  const folders = await storeFolders();
  pipeline = await startPipeline({ store: createFileStore(folders) });
  const { batcherId, taskQueue } = pipeline.address;
  const env = {
    TEMPORAL_ADDRESS: testServer().address,
    KEEPAPART_BATCHER_ID: batcherId,
    KEEPAPART_TASK_QUEUE: taskQueue,
    KEEPAPART_CONFLICTS: JSON.stringify(RULES),
    KEEPAPART_MAX_BATCH_SIZE: String(MAX_BATCH_SIZE),
    KEEPAPART_OUTCOME_FORMAT: 'json',
    KEEPAPART_OUT_DIR: folders.outDir,
  };
  const start = () => startSystem('api', { cwd: folders.dataDir, env });
  api = start();

  const acknowledged: { recordId: string; value: Record }[] = [];
  let unanswered = 0;
  const unansweredAtKill: number[] = [];
  /** Ends the process while the answers to one group are on their way, and starts another. */
  async function killIfDue(system: System): Promise<void> {
    if (acknowledged.length < (KILLS_AFTER[unansweredAtKill.length] ?? Infinity)) return;
    unansweredAtKill.push(unanswered);
    api = system.killGroup().then(start);
    await api;
  }

  const refusals: number[] = [];
  /** Undefined without an answer, or with a refusal. */
  async function post(value: Record, key: string | undefined): Promise<string | undefined> {
    const system = await api;
    unanswered++;
    try {
      const response = await fetch(`${system.apiUrl}/v1/records`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key !== undefined && { 'idempotency-key': `"${key}"` }),
        },
        body: JSON.stringify([value]),
      });
      const { records } = (await response.json()) as { records?: { recordId: string }[] };
      if (response.status !== 202) refusals.push(response.status);
      return records?.[0]?.recordId;
    } catch {
      return undefined;
    } finally {
      unanswered--;
    }
  }

  const sent = new Map<string, { withKey: boolean; isAcknowledged: boolean }>();
  async function client(number: number): Promise<void> {
    const withKey = number % 2 === 0;
    for (let list = 0; list < LISTS_EACH; list++) {
      const value = { id: `${number}-${list}`, kind: (number + list) % 3 === 0 ? 'a' : 'b' };
      const fate = { withKey, isAcknowledged: false };
      sent.set(value.id, fate);
      // Without a key nobody knows whether to send again.
      do {
        const recordId = await post(value, withKey ? value.id : undefined);
        if (recordId === undefined) continue;
        fate.isAcknowledged = true;
        acknowledged.push({ recordId, value });
        await killIfDue(await api);
      } while (withKey && !fate.isAcknowledged);
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  await pipeline.quiet();
  // A repeat was never taken for another list.
  expect(refusals).not.toContain(409);

  // Each kill met many clients, and they did share signals.
  expect(unansweredAtKill).toHaveLength(KILLS_AFTER.length);
  expect(Math.min(...unansweredAtKill)).toBeGreaterThan(CLIENTS / 4);
  expect(Math.max(...(await requestsOfSignals()))).toBeGreaterThan(4);

  const files = await readBatchFiles(folders.outDir);
  const ids = acknowledged.map(({ recordId }) => recordId);
  expect(audit(files, ids, { maxBatchSize: MAX_BATCH_SIZE, rules: RULES })).toMatchObject({
    missing: [],
    doubled: [],
    overSize: [],
    conflicting: [],
  });
  const written = [...files.values()].flat().map(({ value }) => (value as Record).id);
  expect(new Set(written).size).toBe(written.length);
  // What was written and not acknowledged are lists without a key whose client got no answer.
  for (const id of written) expect(sent.has(id)).toBe(true);
  for (const [id, { withKey, isAcknowledged }] of sent) {
    if (withKey || isAcknowledged)
      expect([id, isAcknowledged, written.includes(id)]).toEqual([id, true, true]);
  }
  const ledger = join(folders.dataDir, 'ledger.jsonl');
  await writeLedger(ledger, acknowledged);
  expect(await auditHere([ledger], env)).toEqual({ clean: true, damage: {} });
});

/** How many requests each signal of the batcher has brought. */
async function requestsOfSignals(): Promise<number[]> {
  const { events } = await pipeline.client.workflow.getHandle(pipeline.batcherWorkflowId).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signalled }) => {
    const payload = signalled?.signalName === addRecordsSignal.name && signalled.input?.payloads?.[0];
    return payload ? [defaultPayloadConverter.fromPayload<AcceptedRequest[]>(payload).length] : [];
  });
}
