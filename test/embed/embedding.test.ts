import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createKeepapartRouter, RIGHTS, type KeepapartRouter } from '../../src/embed/express';
import { configOf } from '../../src/embed/settings';
import { createKeepapartWorker } from '../../src/embed/worker';
import { adoptionTaskQueue } from '../../src/contracts/workflow/ids';
import { EncryptionCodec } from '../../src/temporal/codec/encryption-codec';
import { KeyRing } from '../../src/temporal/codec/key-ring';
import { borrowClient } from '../../src/temporal/server/borrowed-client';
import { testServer } from '../helpers/temporal-server';

let connection: Connection;
let folder: string;
beforeAll(async () => {
  connection = Connection.lazy({ address: testServer().address });
  folder = await mkdtemp(path.join(tmpdir(), 'keepapart-embed-'));
});
afterAll(async () => {
  await connection.close();
  await rm(folder, { recursive: true });
});

const everybody = () => ({ name: 'everybody', rights: RIGHTS });
const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const ownName = () => `embed-${path.basename(folder)}`;

function options() {
  const settings = {
    taskQueue: ownName(),
    batcherId: ownName(),
    dataDir: path.join(folder, 'data'),
    outDir: path.join(folder, 'out'),
  };
  return { client: new Client({ connection }), settings, logger: quiet };
}

describe('settings of an app', () => {
  test('have the names of the configuration in camel case, and its defaults', () => {
    expect(configOf({ maxBatchSize: 7, apiKeys: [`ops:${'0'.repeat(64)}`] })).toMatchObject({
      ...{ maxBatchSize: 7, flushIntervalMs: 1000 },
      apiKeys: [{ name: 'ops', rights: RIGHTS }],
    });
  });

  test('are refused all at once, by the names that the app wrote', () => {
    const wrong = { maxBatchSize: 0, maxBatchsize: 5 } as object;
    expect(() => configOf(wrong)).toThrow(
      /maxBatchSize: expected.*\n.*maxBatchsize.*did you mean maxBatchSize/s,
    );
  });

  test('that the app decides by itself are refused, not passed over', () => {
    expect(() => configOf({ httpPort: 80 } as object)).toThrow(/httpPort: expected nothing/);
  });

  test('come from the app alone: nothing of the environment is read', () => {
    process.env['KEEPAPART_MAX_BATCH_SIZE'] = '9';
    try {
      expect(configOf({}).maxBatchSize).toBe(5);
    } finally {
      delete process.env['KEEPAPART_MAX_BATCH_SIZE'];
    }
  });
});

describe('a client that keepapart borrows', () => {
  test('goes to the same namespace under the same identity, with the interceptors of the app around its own', async () => {
    const seen: string[] = [];
    const watched = Connection.lazy({
      address: testServer().address,
      interceptors: [
        (options, nextCall) => {
          seen.push(options.method_definition.path);
          return nextCall(options) as never;
        },
      ],
    });
    const { client, close } = borrowClient(
      new Client({ connection: watched, namespace: 'default', identity: 'the app' }),
    );
    await client.workflowService.describeNamespace({ namespace: 'default' });
    expect(client.options).toMatchObject({ namespace: 'default', identity: 'the app' });
    expect(seen).toEqual([expect.stringMatching(/DescribeNamespace$/)]);
    await close();
    // That of the app is still open.
    await watched.workflowService.describeNamespace({ namespace: 'default' });
    await watched.close();
  });

  test('presents the API key of the app, also one that the app computes for each call', async () => {
    const presented: unknown[] = [];
    let key = 'first';
    const theirs = Connection.lazy({
      address: testServer().address,
      tls: false,
      apiKey: () => key,
      interceptors: [
        (options, nextCall) => {
          const call = nextCall(options);
          const start = call.start.bind(call);
          call.start = (metadata, listener) => {
            presented.push(...metadata.get('authorization'));
            start(metadata, listener);
          };
          return call as never;
        },
      ],
    });
    const { client, close } = borrowClient(new Client({ connection: theirs }));
    await client.workflowService.describeNamespace({ namespace: 'default' });
    key = 'second';
    await client.workflowService.describeNamespace({ namespace: 'default' });
    expect(presented).toEqual(['Bearer first', 'Bearer second']);
    await close();
    await theirs.close();
  });

  test("goes through the payload codecs of the app's client, after keepapart's own where keys are set", () => {
    const codec = { encode: jest.fn(), decode: jest.fn() };
    const theirs = new Client({ connection, dataConverter: { payloadCodecs: [codec] } });
    const codecsOf = ({ client }: { client: Client }) => client.options.loadedDataConverter.payloadCodecs;
    expect(codecsOf(borrowClient(theirs))).toEqual([codec]);
    const keys = new KeyRing([{ id: 'k', secret: Buffer.alloc(32, 7).toString('base64') }]);
    expect(codecsOf(borrowClient(theirs, keys))).toEqual([expect.any(EncryptionCodec), codec]);
  });

  test('is refused when it is no client of the SDK that keepapart has', () => {
    const foreign: unknown = { connection, options: { namespace: 'default' } };
    expect(() => borrowClient(foreign as Client)).toThrow(/not a Client of keepapart's @temporalio\/client/);
  });
});

describe('a router', () => {
  let router: KeepapartRouter | undefined;
  let server: Server | undefined;
  afterEach(async () => {
    server?.close();
    await router?.close();
    [router, server] = [undefined, undefined];
  });

  async function serve(): Promise<string> {
    const made = (router = await createKeepapartRouter({ ...options(), authorize: everybody }));
    server = createServer((req, res) => made(req, res)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('is not made before it is decided who may call, and not when that is decided twice', async () => {
    await expect(createKeepapartRouter(options())).rejects.toThrow(/Who may call/);
    const { settings, ...rest } = options();
    const keys = { ...settings, apiKeys: [`ops:${'0'.repeat(64)}`] };
    const twice = createKeepapartRouter({ ...rest, settings: keys, authorize: everybody });
    await expect(twice).rejects.toThrow(/Who may call/);
  });

  test('takes records in any HTTP server, without a worker and without a path of its own', async () => {
    const url = await serve();
    const response = await fetch(`${url}/v1/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[1,2]',
    });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toMatch(/^\/v1\/requests\//);
    expect(await router?.checkReady()).toEqual({ storeAwaySince: null });
    const metrics = (await router?.metrics.text()) ?? '';
    expect(metrics).toMatch(/keepapart_records_received_total\{via="http"\} 2/);
    // The process is the app's to measure.
    expect(metrics).not.toMatch(/nodejs_|process_cpu/);
  });

  test('that closes refuses what is new, waits for what is under way, and leaves the connection of the app open', async () => {
    const url = await serve();
    const headers = { 'content-type': 'application/json', 'content-length': 3 };
    const slow = request(`${url}/v1/records`, { method: 'POST', headers });
    const answered = once(slow, 'response') as Promise<[IncomingMessage]>;
    // It is under way until its body is complete.
    const arrived = once(server!, 'request');
    slow.write('[1');
    await arrived;

    let closed = false;
    void router?.close().then(() => (closed = true));
    const refused = await fetch(`${url}/v1/flush`, { method: 'POST' });
    expect([refused.status, closed]).toEqual([503, false]);
    await expect(router?.checkReady()).rejects.toMatchObject({ code: 'not-ready' });
    slow.end(']');
    const [answer] = await answered;
    expect(answer.statusCode).toBe(202);
    answer.resume();
    await router?.close();
    expect(closed).toBe(true);
    await connection.workflowService.describeNamespace({ namespace: 'default' });
  });
});

test('A worker gives the options of two Workers, on task queues of keepapart, over a store that it opens and closes.', async () => {
  let closed = 0;
  const store = {
    open: () => ({
      saveBatch: () => ['saved' as const],
      close: () => {
        closed++;
      },
    }),
  };
  const worker = await createKeepapartWorker({ ...options(), store });
  expect(worker.workers.map(({ taskQueue }) => taskQueue)).toEqual([ownName(), adoptionTaskQueue(ownName())]);
  const [pipeline, adoption] = worker.workers;
  expect(pipeline).toMatchObject({ namespace: 'default', activities: { save: expect.any(Function) } });
  expect(adoption).toMatchObject({ namespace: 'default', activities: { adoptChild: expect.any(Function) } });
  expect(await worker.checkReady()).toEqual({ storeAwaySince: null });
  expect(await worker.metrics.text()).toMatch(/keepapart_batches_total/);
  // Nobody but its user reads records, whatever the umask of the app.
  expect((await stat(path.join(folder, 'data/staging'))).mode & 0o077).toBe(0);
  await Promise.all([worker.close(), worker.close()]);
  expect(closed).toBe(1);
});

test('A worker whose store can not be opened rejects and leaves nothing open.', async () => {
  const store = {
    open: () => {
      throw new Error('nobody listens');
    },
  };
  await expect(createKeepapartWorker({ ...options(), store })).rejects.toThrow(
    /the store of this app: open failed/,
  );
});
