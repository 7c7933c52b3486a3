import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ChildInput } from '../../src/contracts/workflow/child';
import { attributesOf, firstChild, runReplay, type RecordedEvent } from '../helpers/replay-command';
import { temporaryFolder } from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { HISTORIES, readCorpus } from '../replay/corpus';

jest.setTimeout(180_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => (folder = await temporaryFolder()));
afterEach(() => folder.remove());

const replay = (args: readonly string[], env?: Record<string, string>) => runReplay(folder.path, args, env);

/** A committed history with something changed in it, as a file. */
async function doctored(
  caseName: string,
  change: (events: RecordedEvent[]) => unknown,
  into = folder.path,
): Promise<string> {
  const { text, file } = readCorpus().find((one) => one.caseName === caseName)!;
  const history = JSON.parse(text) as { events: RecordedEvent[] };
  change(history.events);
  const doctoredFile = path.join(into, file);
  await writeFile(doctoredFile, JSON.stringify(history));
  return doctoredFile;
}

type Doctoring = [
  title: string,
  caseName: string,
  change: (events: RecordedEvent[]) => unknown,
  mismatch: object,
];

const DOCTORINGS: Doctoring[] = [
  [
    'an activity of another type',
    'child-tried-again',
    (events) =>
      (attributesOf(
        events,
        'activityTaskScheduled',
        (a) => a['activityType'].name === 'closeBatches',
      ).activityType.name = 'rollback'),
    {
      eventType: 'ActivityTaskScheduled',
      recorded: expect.stringMatching(/^runs the activity rollback /),
      now: expect.stringMatching(/^runs the activity closeBatches /),
      original: expect.stringMatching(/^DeterminismViolationError: .*Activity type of scheduled event/),
    },
  ],
  [
    'a local activity of another type',
    'child-clean',
    (events) => {
      const [payload] = attributesOf(events, 'markerRecorded').details.data.payloads;
      const data = JSON.parse(Buffer.from(payload.data, 'base64').toString());
      payload.data = Buffer.from(JSON.stringify({ ...data, activity_type: 'rollback' })).toString('base64');
    },
    {
      eventType: 'MarkerRecorded',
      recorded: 'runs the local activity rollback',
      now: 'runs the local activity closeBatches',
    },
  ],
  [
    'another order',
    'child-clean',
    (events) => (attributesOf(events, 'activityTaskScheduled').activityId = 'another:0'),
    {
      eventType: 'ActivityTaskScheduled',
      eventId: 5,
      recorded: 'runs the activity save under the id another:0',
      now: expect.stringMatching(/^runs the activity save under the id .+:0$/),
    },
  ],
  [
    'a batch under another id',
    'batcher-size-and-age',
    (events) => (firstChild(events).workflowId = 'another-0-00000001'),
    {
      eventType: 'StartChildWorkflowExecutionInitiated',
      recorded: 'starts the child batchesWorkflow another-0-00000001',
      now: expect.stringMatching(/^starts the child batchesWorkflow .+-0-00000001$/),
    },
  ],
  [
    'other records in a batch, which Temporal does not compare (G4)',
    'batcher-size-and-age',
    (events) => {
      const payload = firstChild(events).input.payloads[0];
      const input = JSON.parse(Buffer.from(payload.data, 'base64').toString()) as ChildInput;
      input.batches[0]!.records.at(-1)![2].pop();
      payload.data = Buffer.from(JSON.stringify(input)).toString('base64');
    },
    {
      eventType: 'StartChildWorkflowExecutionInitiated',
      recorded: expect.stringMatching(/^starts .+-0-00000001 with .+:0, .+:1, .+:2, .+:3$/),
      now: expect.stringMatching(/^starts .+-0-00000001 with .+:0, .+:1, .+:2, .+:3, .+:4$/),
      original: expect.stringMatching(/^OtherBatches: /),
    },
  ],
  [
    'a timer that is no longer there',
    'batcher-size-and-age',
    (events) => {
      const event = events.find((one) => one['timerStartedEventAttributes'])!;
      const { workflowTaskCompletedEventId } = event['timerStartedEventAttributes'];
      delete event['timerStartedEventAttributes'];
      event['eventType'] = 'EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED';
      event['workflowPropertiesModifiedEventAttributes'] = { workflowTaskCompletedEventId };
    },
    {
      eventType: 'WorkflowPropertiesModified',
      recorded: 'sets the memo',
      now: expect.stringMatching(/^starts a timer/),
    },
  ],
  [
    'a workflow that there is no longer',
    'child-clean',
    (events) => (attributesOf(events, 'workflowExecutionStarted').workflowType.name = 'goneWorkflow'),
    { eventId: 1, workflowType: 'goneWorkflow', now: expect.stringMatching(/^fails: .*goneWorkflow/) },
  ],
];

describe('keepapart replay', () => {
  test('keepapart replay passes over the committed corpus, and says how much it replayed (G8).', async () => {
    const { code, stdout } = await replay([HISTORIES]);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    const corpus = readCorpus();
    expect(stdout).toContain(`Today's code replays all ${corpus.length} histories`);
    const children = corpus.filter(({ caseName }) => caseName.startsWith('child-')).length;
    expect(stdout).toContain(`batchesWorkflow: 0 open, ${children} closed`);
  });

  describe('fails, and tells where history and code part', () => {
    let files: string[];
    let replayed: Awaited<ReturnType<typeof replay>>;

    beforeAll(async () => {
      const all = await temporaryFolder();
      try {
        files = await Promise.all(
          DOCTORINGS.map(async ([, caseName, change], i) => {
            const into = path.join(all.path, String(i));
            await mkdir(into);
            return doctored(caseName, change, into);
          }),
        );
        replayed = await runReplay(all.path, ['--all', '--json', ...files]);
      } finally {
        await all.remove();
      }
    });

    test.each(DOCTORINGS)('%s (G8)', (title, caseName, _change, mismatch) => {
      expect(replayed.code).toBe(1);
      const file = files[DOCTORINGS.findIndex(([name]) => name === title)];
      const { workflowId } = readCorpus().find((one) => one.caseName === caseName)!;
      const told = replayed.report().mismatches.filter((one) => one.file === file);
      expect(told).toEqual([expect.objectContaining({ file, workflowId, ...mismatch })]);
    });

    test('one for each', () => {
      expect(replayed.report().mismatches).toHaveLength(DOCTORINGS.length);
    });
  });

  test('keepapart replay stops at the first mismatch and says what to do; with --all it reports each.', async () => {
    const change = (events: RecordedEvent[]) => (firstChild(events).workflowId = 'another-0-00000001');
    const files = [await doctored('batcher-size-and-age', change), await doctored('batcher-paused', change)];
    const clean = path.join(HISTORIES, readCorpus()[0]!.file);

    const first = await replay([clean, ...files, clean]);
    expect(first.code).toBe(1);
    expect(first.stdout.match(/\[replay-mismatch\]/g)).toHaveLength(1);
    for (const told of [files[0]!, 'another-0-00000001', 'DeterminismViolationError'])
      expect(first.stdout).toContain(told);
    expect(first.stdout).toMatch(/event +\d+ StartChildWorkflowExecutionInitiated/);
    expect(first.stdout).toMatch(/What to do: .*patched\([^]*docs\/UPGRADES\.md/);
    expect(first.stdout).toContain('Stopped at the first mismatch');

    const all = await replay(['--all', clean, ...files]);
    expect(all.code).toBe(1);
    expect(all.stdout.match(/\[replay-mismatch\]/g)).toHaveLength(2);
    expect(all.stdout).toContain("Of 3 histories, today's code does not replay 2");
  });

  test('keepapart replay fails when there was nothing to replay.', async () => {
    const empty = path.join(folder.path, 'empty');
    await mkdir(empty);
    const notBegun = await doctored('child-clean', (events) => events.splice(2));
    const live = { TEMPORAL_ADDRESS: testServer().address, KEEPAPART_BATCHER_ID: 'nobody' };
    for (const [args, env] of [[[]], [[empty]], [[notBegun]], [['--live'], live], [['--live']]] as const) {
      const { code, stdout, stderr } = await replay([...args], env);
      expect({ args, code, stdout, stderr }).toEqual({
        args,
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('[nothing-to-replay]'),
      });
    }
  });

  test.each([
    ['a file that is not there', undefined, 'ENOENT'],
    ['a text', 'no history', 'is not valid JSON'],
    ['other JSON', '{"events":[]}', 'begin with the start of its workflow'],
    ['decoded payloads', 'decoded', 'decoded'],
  ])('names what it can not read and tells why: %s', async (_title, content, reason) => {
    const file = path.join(folder.path, 'odd.json');
    if (content === 'decoded') {
      const decoded = await doctored('child-clean', (events) => {
        attributesOf(events, 'workflowExecutionStarted').input = { payloads: [{ batch: {} }] };
      });
      await writeFile(file, await readFile(decoded));
    } else if (content !== undefined) await writeFile(file, content);
    const { code, stderr } = await replay([file]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('[history-unreadable]') });
    expect(stderr).toContain(file);
    expect(stderr).toContain(reason);
  });
});
