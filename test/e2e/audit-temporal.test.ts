import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { auditedTemporal } from '../../src/embed/audit/audited-temporal';
import { runAudit } from '../../src/embed/audit/run-audit';
import { loadConfig } from '../../src/config';
import type { ChildInput, ChildMemo, ChildWorkflow } from '../../src/contracts/workflow/child';
import { WORKFLOW_TYPE } from '../../src/contracts/workflow/ids';
import { SEARCH_ATTRIBUTES } from '../../src/contracts/workflow/search-attributes';
import type { PipelineSettings } from '../../src/contracts/workflow/settings';
import type { BatchState } from '../../src/contracts/api/states';
import { childIdOf } from '../../src/domain/records/batch';
import type { JsonValue } from '../../src/domain/json';
import {
  batchFileName,
  OUTCOME_FORMATS,
  outcomeFileContent,
  type OutcomeFormat,
} from '../../src/domain/records/outcome';
import { packKept, unpackBatch } from '../../src/domain/records/packed-batch';
import { batchFilesIn } from '../../src/store/batch-files';
import { createFileStore } from '../../src/store/file-store';
import { runAuditCommand, writeLedger } from '../helpers/audit-command';
import { interceptFs } from '../helpers/intercept-fs';
import { startPipeline, type TestPipeline } from '../helpers/pipeline';
import { BATCH, saved, storeFolders } from '../helpers/store-folders';
import { startCommand } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(180_000);

let pipeline: TestPipeline;
afterEach(() => pipeline.close());

/** A pipeline that writes real files, a ledger of what it accepted, and the command on its deployment. */
async function startAudited(
  outcomeFormat: OutcomeFormat,
  settings: Partial<PipelineSettings> = {},
  worker: 'shared' | 'own' = 'shared',
) {
  const folders = await storeFolders();
  const files = createFileStore(folders);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const saving = new Set<string>();
  pipeline = await startPipeline({
    worker,
    settings: { outcomeFormat, ...settings },
    shards: 2,
    store: {
      ...files,
      async save(record, batch) {
        saving.add(batch.batchId);
        if (record.value === 'slow') await held;
        await files.save(record, batch);
      },
    },
  });
  const acknowledged: { recordId: string; value: JsonValue }[] = [];
  const ledger = join(folders.dataDir, 'ledger.jsonl');
  return {
    outDir: folders.outDir,
    saving,
    release: () => release(),
    async send(...values: JsonValue[]): Promise<string> {
      const [requestId = ''] = await pipeline.send(values);
      acknowledged.push(...values.map((value, index) => ({ recordId: `${requestId}:${index}`, value })));
      return requestId;
    },
    /** Waits for so many batches in a state, as listed. */
    listed: (state: BatchState, count: number) =>
      waitFor(`${count} batches that are listed as ${state}`, async () => {
        const { batches } = await pipeline.batcher.batches({ state, limit: 100 });
        return batches.length === count && batches;
      }),
    /** A batch of acknowledged records that somebody terminates before any worker has seen it. */
    async terminateBatch(...values: JsonValue[]): Promise<string> {
      const batchId = childIdOf(pipeline.batcherWorkflowId, 1);
      const input = childOf(values, outcomeFormat);
      acknowledged.push(...recordsOf(input));
      await (await startChild(batchId, input, 'a queue without a worker')).terminate('by hand');
      await waitFor('it to be listed', async () => {
        const { batches } = await pipeline.batcher.batches({ state: 'failed', limit: 100 });
        return batches.length > 0;
      });
      return batchId;
    },
    async writeLedger() {
      await writeLedger(ledger, acknowledged);
      return ledger;
    },
    async audit(temporal: Record<string, string> = { TEMPORAL_ADDRESS: testServer().address }) {
      await writeLedger(ledger, acknowledged);
      return runAuditCommand(['--temporal', '--ledger', ledger], {
        cwd: folders.dataDir,
        env: {
          ...temporal,
          KEEPAPART_BATCHER_ID: pipeline.address.batcherId,
          KEEPAPART_SHARDS: '2',
          KEEPAPART_TASK_QUEUE: pipeline.address.taskQueue,
          KEEPAPART_OUT_DIR: folders.outDir,
        },
      });
    },
  };
}

describe.each(OUTCOME_FORMATS)('with batch files of the format %s', (format) => {
  test('An audit compares every completed batch with its file, byte by byte (G4, G10).', async () => {
    const audited = await startAudited(format);
    for (const [index, value] of ['first', 'second', 'third'].entries()) {
      await audited.send(value, 1);
      await audited.listed('completed', index + 1);
    }
    expect(await audited.audit()).toMatchObject({
      code: 0,
      damage: {},
      report: {
        checked: { temporal: { namespace: 'default', batcherId: pipeline.address.batcherId } },
        files: { acknowledged: 6, outcomes: { total: 6 } },
        batches: { completed: 3, running: 0, unlistedFiles: 0 },
        silentBatchers: [],
      },
    });

    const names = (await batchFilesIn(audited.outDir)).map(({ name }) => name);
    const [first = '', second = '', third = ''] = names.map((name) => join(audited.outDir, name));
    rmSync(first);
    // An outcome of another kind: still a whole file of outcomes, and every record has one.
    const content = readFileSync(second, 'utf8');
    writeFileSync(
      second,
      format === 'json'
        ? content.replace('"attempts":1', '"attempts":2')
        : content.replace('success', 'failed, roll back'),
    );
    renameSync(third, third.replace(/-(\d{8})\.log$/, '-9$1.log'));
    const { code, damage, report } = await audited.audit();
    expect(code).toBe(1);
    expect(damage).toEqual({ missing: 2, fileMissing: 2, fileDiffers: 1 });
    expect(report.batches).toMatchObject({ completed: 3, unlistedFiles: 1 });
    expect(report.batches?.damage.fileDiffers.first).toEqual([
      expect.objectContaining({ file: names[1], problem: expect.stringContaining('line 1') as string }),
    ]);
  });

  test('An audit compares every batch of a child with several with its file, byte by byte (G4, G10).', async () => {
    const audited = await startAudited(format, { saveActivity: 'batch' });
    await pipeline.batcher.pause('test');
    await audited.send(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    await pipeline.batcher.flush('test');
    await pipeline.batcher.resume('test');
    const listed = await audited.listed('completed', 3);
    expect(listed.map(({ batchId }) => batchId.split('.')[1])).toEqual(['001', '002', '003']);
    expect(await audited.audit()).toMatchObject({
      code: 0,
      damage: {},
      report: {
        files: { acknowledged: 12, outcomes: { total: 12 } },
        batches: { completed: 3, running: 0, unlistedFiles: 0 },
      },
    });

    const [first = '', second = ''] = (await batchFilesIn(audited.outDir)).map(({ name }) =>
      join(audited.outDir, name),
    );
    rmSync(first);
    writeFileSync(second, readFileSync(second, 'utf8').replace('1', '0'));
    const { code, damage } = await audited.audit();
    expect(code).toBe(1);
    expect(damage).toMatchObject({ fileMissing: 1, fileDiffers: 1 });
  });

  test('An audit checks a file against the rules its batch was cut by, whatever is configured (G1, G2).', async () => {
    const audited = await startAudited(format);
    await pipeline.batcher.changeLimits({ maxBatchSize: 7, conflicts: [{ pair: [3, 'x'] }] }, 'test');
    await audited.send(1, 2, 3, 4, 5, 6, 7);
    await audited.listed('completed', 1);
    await pipeline.batcher.changeLimits({ maxBatchSize: null, conflicts: null }, 'test');
    await audited.send(1);
    await audited.listed('completed', 2);
    expect(await audited.audit()).toMatchObject({
      code: 0,
      damage: {},
      report: { checked: { maxBatchSize: 5 }, files: { files: 2, judgedByBatch: 2, cutOtherwise: 1 } },
    });
  });

  test('An audit distinguishes records that wait from those that are missing (G4).', async () => {
    const audited = await startAudited(format);
    await audited.send('done', 'slow');
    const [batchId = ''] = await waitFor(
      'a batch to be saving',
      () => audited.saving.size > 0 && [...audited.saving],
    );
    await pipeline.batcher.pause('test');
    await audited.send('done', 'buffered');
    await audited.listed('running', 1);
    const waiting = await audited.audit();
    expect(waiting).toMatchObject({ code: 0, damage: {}, report: { files: { waiting: 4 } } });
    expect(waiting.report.batches).toMatchObject({ running: 1, completed: 0 });

    audited.release();
    await audited.listed('completed', 1);
    expect(await audited.audit()).toMatchObject({ code: 0, report: { files: { waiting: 2 } } });
    expect((await batchFilesIn(audited.outDir)).map((file) => file.batchId)).toEqual([batchId]);
  });

  test('An audit reports a terminated batch as damage until another run of it completes (G4).', async () => {
    const audited = await startAudited(format);
    const batchId = await audited.terminateBatch('quick', 'slow');
    const terminated = await audited.audit();
    expect(terminated).toMatchObject({ code: 1, damage: { missing: 2, abandoned: 1 } });
    expect(terminated.report.batches).toMatchObject({
      abandonedRecords: 2,
      damage: { abandoned: { first: [{ batchId, records: 2 }] } },
    });

    audited.release();
    await (await startChild(batchId, childOf(['quick', 'slow'], format))).result();
    await audited.listed('completed', 1);
    // Whatever is done to it later, it has completed.
    await audited.terminateBatch('quick', 'slow');
    await audited.listed('failed', 2);
    expect(await audited.audit()).toMatchObject({
      code: 0,
      damage: {},
      report: { batches: { completed: 1 } },
    });
  });
});

/** The input of a child of the first shard that no batcher has started, and so none settles; with one batch. */
function childOf(values: readonly JsonValue[], outcomeFormat: OutcomeFormat): ChildInput {
  const records = values.map((value, index) => ({ recordId: `by-hand:${index}`, value }));
  return {
    openedAtMs: BATCH.openedAtMs,
    batches: [{ flushReason: 'age', records: packKept(records) }],
    maxAttempts: 3,
    retryIntervalMs: 10,
    outcomeFormat,
    onFailure: 'keep',
    cutBy: { maxBatchSize: 5, rules: [] },
  };
}

function recordsOf({ batches }: ChildInput) {
  return batches.flatMap(({ records }) => unpackBatch(records));
}

function startChild(
  workflowId: string,
  input: ChildInput,
  taskQueue = pipeline.address.taskQueue,
): Promise<WorkflowHandle<ChildWorkflow>> {
  const memo: ChildMemo = {
    requests: [['by-hand', recordsOf(input).length]],
    batches: [['age', [0]]],
  };
  return pipeline.client.workflow.start<ChildWorkflow>(WORKFLOW_TYPE.child, {
    workflowId,
    taskQueue,
    args: [input],
    memo: { ...memo },
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_ATTRIBUTES.batcher, value: pipeline.batcherWorkflowId },
    ]),
  });
}

test('A record that gets its file while the audit runs is neither missing nor waiting (G4).', async () => {
  const audited = await startAudited('json');
  await audited.send('slow');
  await audited.listed('running', 1);
  const ledger = await audited.writeLedger();
  const { config } = loadConfig({
    env: {
      KEEPAPART_OUT_DIR: audited.outDir,
      KEEPAPART_BATCHER_ID: pipeline.address.batcherId,
      KEEPAPART_SHARDS: '2',
    },
  });
  let listings = 0;
  const restore = interceptFs(async ({ name, path }) => {
    // The audit has listed the batches and the folder by then, and has seen no file.
    if (name !== 'readdir' || path !== audited.outDir || ++listings !== 2) return;
    audited.release();
    await audited.listed('completed', 1);
  });
  try {
    const { clean, files } = await runAudit({
      config,
      ledgers: [ledger],
      temporal: auditedTemporal(pipeline.client, config),
    });
    expect(files).toMatchObject({ files: 1, acknowledged: 1, waiting: 0, outcomes: { total: 1 } });
    expect(clean).toBe(true);
  } finally {
    restore();
  }
});

test('A batch that was terminated after its file was written has its outcomes (G4).', async () => {
  const audited = await startAudited('json');
  const batchId = await audited.terminateBatch('only');
  const content = outcomeFileContent(recordsOf(childOf(['only'], 'json')).map(saved), 'json');
  const { openedAtMs } = BATCH;
  writeFileSync(join(audited.outDir, batchFileName({ batchId, openedAtMs })), content);
  // Found by its port, as the server that `keepapart serve` has embedded is.
  const port = testServer().address.split(':')[1] ?? '';
  expect(await audited.audit({ KEEPAPART_TEMPORAL_PORT: port })).toMatchObject({
    code: 0,
    damage: {},
    report: { batches: { closedWithFile: 1 } },
  });
});

test('What a batcher holds that does not answer counts as missing, and the report names the batcher.', async () => {
  const audited = await startAudited('json', {}, 'own');
  await pipeline.stopWorker();
  await audited.send('buffered');
  const { code, damage, report } = await audited.audit();
  expect({ code, damage }).toEqual({ code: 1, damage: { missing: 1 } });
  expect(report.silentBatchers).toEqual([
    expect.stringMatching(new RegExp(`^${pipeline.address.batcherId}-[01]$`)),
  ]);
});

test('Where no Temporal server is, it says so and reports nothing.', async () => {
  pipeline = await startPipeline({ worker: 'none' });
  const { dataDir } = await storeFolders();
  const command = startCommand(['audit', '--temporal'], { cwd: dataDir });
  expect(await command.ended).toBe(1);
  expect(command.stderr()).toContain('[temporal-unavailable]');
  expect(command.stdout()).toBe('');
});
