import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BatchPage, BatchView } from '../../src/contracts/api/answers/batches';
import { connectClient, embeddedTarget } from '../../src/temporal/server/connection';
import { apiOf, type Api } from '../helpers/api';
import { startSystem, temporaryFolder, type StartedCommand } from '../helpers/system';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(400_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const started: StartedCommand[] = [];
beforeEach(async () => void (folder = await temporaryFolder()));
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await folder.remove();
});

const newKey = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const CANARY = 'canary4f1c';
/** Stands in the path of requests, which is logged. */
const KEY_CANARY = 'order77ab1';
/** As long as an id may be. */
const KEY = `key-${KEY_CANARY}-${'x'.repeat(100)}`;

/** Stands in the reason of a store that is away, which is logged as well. */
const AWAY_CANARY = 'away9b22';

/** A store that is away at first, and then fails with what a record holds. */
const STORE = `
  let calls = 0;
  export default {
    async saveBatch(records) {
      if (++calls <= 2)
        throw Object.assign(new Error('${AWAY_CANARY}'), { name: 'KeepapartError', code: 'store-away' });
      return records.map(({ value }) =>
        value.fails ? { outcome: 'retry', reason: 'cannot save ' + JSON.stringify(value) } : 'saved');
    },
    undo() {},
  };`;

const ALL_CANARIES = [CANARY, KEY_CANARY, AWAY_CANARY];

async function serve(env: Record<string, string>) {
  const system = await startSystem('serve', { cwd: folder.path, env });
  started.push(system);
  return { system, api: apiOf(system.apiUrl) };
}

/** Sends records that all have the canary, under a key that has it too. */
async function sendCanaries(api: Api, url: string): Promise<void> {
  const values = [1, 2, 3, 4, 5, 6].map((n) => ({ n, note: CANARY, fails: n === 3 }));
  const response = await fetch(`${url}/v1/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': KEY },
    body: JSON.stringify(values),
  });
  expect(response.status).toBe(202);
  await api.settled(6);
}

/** All that the embedded server has written, its log included. */
function storedByTemporal(): string {
  const files = readdirSync(path.join(folder.path, 'data')).filter((name) => name.startsWith('temporal'));
  expect(files).toContain('temporal.db');
  return files.map((name) => readFileSync(path.join(folder.path, 'data', name), 'latin1')).join('\n');
}

/** The same, and what our processes have printed. */
function everythingStored(): string {
  return [storedByTemporal(), ...started.map((command) => command.stdout() + command.stderr())].join('\n');
}

/** What is beside a text that shouldn't be there; empty where it isn't. */
function around(stored: string, text: string): string {
  const at = stored.indexOf(text);
  return at < 0 ? '' : stored.slice(Math.max(0, at - 200), at + 200);
}

/** The listing and the histories of all workflows as the server gives them, each payload as it is stored. */
async function histories(address: string): Promise<string> {
  const client = await connectClient(embeddedTarget(address));
  try {
    const { executions } = await client.workflowService.listWorkflowExecutions({ namespace: 'default' });
    const texts = [JSON.stringify(executions)];
    for (const { execution } of executions) {
      const { workflowId, runId } = execution ?? {};
      const { events } = await client.workflow.getHandle(workflowId ?? '', runId ?? '').fetchHistory();
      texts.push(JSON.stringify(events));
    }
    const inBase64 = [...texts.join('').matchAll(/"(?:data|encoding)":"([^"]*)"/g)];
    const decoded = inBase64.map(([, base64 = '']) => Buffer.from(base64, 'base64').toString('latin1'));
    return [...texts, ...decoded].join('\n');
  } finally {
    await client.connection.close();
  }
}

describe.each(['record', 'batch'])('a system that saves with SAVE_ACTIVITY=%s', (shape) => {
  const env = () => ({
    KEEPAPART_SAVE_ACTIVITY: shape,
    KEEPAPART_RETRY_INTERVAL_MS: '100',
    KEEPAPART_CONFLICTS: JSON.stringify([{ pair: [CANARY, 2] }]),
  });

  test('leaves nothing of a record, of its key or of its errors in Temporal or in a log when it encrypts', async () => {
    writeFileSync(path.join(folder.path, 'store.mjs'), STORE);
    const { system, api } = await serve({
      ...env(),
      KEEPAPART_STORE: './store.mjs',
      KEEPAPART_ENCRYPTION_KEYS: newKey('2026-11'),
    });
    await sendCanaries(api, system.apiUrl);

    // Whoever has the key still finds everything.
    const view = await api.request(KEY);
    expect(view.counts).toMatchObject({ saved: 5, rolled_back: 1 });
    const { batches } = await api.get<BatchPage>(`/v1/batches?requestId=${KEY}`);
    expect(batches.flatMap(({ requestIds }) => requestIds)).toContain(KEY);
    const batch = await api.get<BatchView>(`/v1/batches/${batches[0]?.batchId}`);
    expect(JSON.stringify(batch.records)).toContain(CANARY);
    const letters = await waitFor('the dead letter to be listed', async () => {
      const page = await api.get<{ deadLetters: { error: string }[] }>(`/v1/dead-letters?requestId=${KEY}`);
      return page.deadLetters.length > 0 && page.deadLetters;
    });
    expect(letters[0]?.error).toContain(CANARY);
    await api.post('/v1/dead-letters/redrive', { requestId: KEY });
    await api.settled(7);
    expect(JSON.stringify(await api.get(`/v1/find?q=${KEY}`))).toContain(KEY);

    const stored = await histories(system.temporalAddress);
    expect(stored.includes('binary/encrypted')).toBe(true);
    for (const canary of ALL_CANARIES) expect(around(stored, canary)).toBe('');
    await system.interrupt();
    expect(everythingStored().includes('binary/encrypted')).toBe(true);
    expect(around(everythingStored(), CANARY)).toBe('');
    for (const canary of ALL_CANARIES) expect(around(storedByTemporal(), canary)).toBe('');
  });

  test('shows them there when it does not encrypt, so that the search above means something', async () => {
    const { system, api } = await serve(env());
    await sendCanaries(api, system.apiUrl);
    expect((await histories(system.temporalAddress)).includes(CANARY)).toBe(true);
    await system.interrupt();
    expect(everythingStored().includes(CANARY)).toBe(true);
  });
});
