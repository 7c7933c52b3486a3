import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { choosePorts } from '../../src/temporal/embedded/ports';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../helpers/otlp-receiver';
import {
  startCommand,
  startSystem,
  temporaryFolder,
  type StartedCommand,
  type System,
} from '../helpers/system';
import { testServer } from '../helpers/temporal-server';
import { waitFor } from '../helpers/wait-for';

jest.setTimeout(240_000);

/* Traces as an operator gets them: real processes, and a receiver of OTLP. */

const KIND = { server: 2, client: 3, producer: 4, consumer: 5 };

/** Fails as often as a value says, and rejects what it is told to. Waits for ever where a file says so. */
const STORE = `
  const { existsSync, writeFileSync } = require('node:fs');
  const failures = new Map();
  module.exports = {
    async saveBatch(records) {
      if (existsSync('hang')) {
        writeFileSync('hangs', '');
        await new Promise(() => undefined);
      }
      return records.map(({ recordId, value }) => {
        const made = failures.get(recordId) ?? 0;
        failures.set(recordId, made + 1);
        if (made >= (value.fails ?? 0)) return 'saved';
        return { outcome: 'retry', reason: 'secret ' + JSON.stringify(value) };
      });
    },
    undo() {},
  };`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let receiver: OtlpReceiver;
let env: Record<string, string>;
const started: StartedCommand[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  receiver = await startOtlpReceiver();
  writeFileSync(path.join(folder.path, 'store.cjs'), STORE);
  const name = `traces-${randomUUID().slice(0, 8)}`;
  env = {
    TEMPORAL_ADDRESS: testServer().address,
    KEEPAPART_BATCHER_ID: name,
    KEEPAPART_TASK_QUEUE: name,
    KEEPAPART_FLUSH_INTERVAL_MS: '50',
    KEEPAPART_RETRY_INTERVAL_MS: '20',
    KEEPAPART_STORE: './store.cjs',
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((command) => command.killGroup()));
  await receiver.close();
  await folder.remove();
});

async function start(role: 'serve' | 'api' | 'worker', more: Record<string, string> = {}): Promise<System> {
  const system = await startSystem(role, { cwd: folder.path, env: { ...env, ...more } });
  started.push(system);
  return system;
}

function clientContext(flags = '01') {
  const traceId = randomBytes(16).toString('hex');
  const spanId = randomBytes(8).toString('hex');
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

async function send(
  { apiUrl }: System,
  values: unknown[],
  headers: Record<string, string> = {},
): Promise<{ requestId: string; httpRequestId: string }> {
  const response = await fetch(`${apiUrl}/v1/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(values),
  });
  const text = await response.text();
  if (response.status !== 202) throw new Error(`${response.status} ${text}`);
  const { requestId } = JSON.parse(text) as { requestId: string };
  return { requestId, httpRequestId: response.headers.get('x-request-id') ?? '' };
}

function spansNamed(name: string, traceId?: string): ReceivedSpan[] {
  return receiver.spans.filter((span) => span.name === name && (traceId ?? span.traceId) === span.traceId);
}

/** Waits for the spans of so many records in a request's trace, and returns the whole trace. */
async function traceWith(traceId: string, records: number) {
  await waitFor(`${records} records in the trace`, () => spansNamed('record', traceId).length >= records);
  const [server] = await waitFor('the span of the request', () => {
    const found = spansNamed('POST /v1/records', traceId);
    return found.length > 0 && found;
  });
  return { server, records: spansNamed('record', traceId) };
}

/** The batch that a record's span links to, with everything in its trace. */
async function batchOf({ links, attributes }: ReceivedSpan) {
  const [link] = links;
  return waitFor('the trace of the batch', () => {
    const ofBatch = receiver.spans.filter(({ traceId }) => traceId === link?.traceId);
    const batch = ofBatch.find(({ name, spanId }) => name === 'batch' && spanId === link?.spanId);
    const files = ofBatch.filter(({ name }) => name === 'write file');
    if (batch === undefined || files.length === 0) return undefined;
    expect(batch.attributes['keepapart.batch.id']).toBe(attributes['keepapart.batch.id']);
    for (const span of ofBatch) if (span !== batch) expect(span.parentSpanId).toBe(batch.spanId);
    return { batch, files, saves: ofBatch.filter(({ name }) => name === 'save'), all: ofBatch };
  });
}

test.each(['record', 'batch', 'auto'])(
  "A client's trace goes from its request through each attempt to the file, saving as %s",
  async (saveActivity) => {
    const system = await start('serve', { KEEPAPART_SAVE_ACTIVITY: saveActivity });
    const client = clientContext();
    const { requestId, httpRequestId } = await send(
      system,
      [{ n: 1 }, { n: 2, fails: 2 }, { n: 3, fails: 9 }],
      client,
    );
    const { server, records } = await traceWith(client.traceId, 3);
    expect(server).toMatchObject({
      kind: KIND.server,
      parentSpanId: client.spanId,
      service: 'keepapart',
      failed: false,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/v1/records',
        'http.response.status_code': 202,
        'keepapart.request.id': requestId,
        'keepapart.request.records': 3,
      },
    });
    const [commit] = await waitFor('the commit', () => {
      const found = receiver.spans.filter(
        ({ name, links }) => name === 'commit' && links[0]?.traceId === client.traceId,
      );
      return found.length > 0 && found;
    });
    expect(commit).toMatchObject({ kind: KIND.producer, links: [{ spanId: server?.spanId }] });

    expect(records.map(({ attributes }) => attributes['keepapart.record.id']).sort()).toEqual(
      [0, 1, 2].map((index) => `${requestId}:${index}`),
    );
    for (const record of records) {
      expect(record.parentSpanId).toBe(server?.spanId);
      const index = Number(String(record.attributes['keepapart.record.id']).split(':').at(-1));
      const [attempts, saved] = [
        [1, true],
        [3, true],
        [3, false],
      ][index] as [number, boolean];
      expect(record.attributes).toMatchObject({
        'keepapart.record.attempts': attempts,
        'keepapart.record.outcome': saved ? 'saved' : 'rolled_back',
      });
      expect(record.failed).toBe(!saved);
      const { batch, files, saves, all } = await batchOf(record);
      expect(batch).toMatchObject({ kind: KIND.consumer, parentSpanId: '' });
      expect(batch.links).toContainEqual({ traceId: client.traceId, spanId: server?.spanId });
      const of = (span: ReceivedSpan) =>
        span.attributes['keepapart.record.id'] ?? record.attributes['keepapart.record.id'];
      const own = saves.filter((span) => of(span) === record.attributes['keepapart.record.id']);
      expect(
        own
          .map(({ attributes }) => attributes['keepapart.attempt'])
          .sort()
          .slice(0, attempts),
      ).toEqual([1, 2, 3].slice(0, attempts));
      expect(all.some(({ name }) => name === 'roll back')).toBe(
        batch.attributes['keepapart.batch.rolled_back'] !== 0,
      );
      const file = String(files[0]?.attributes['keepapart.batch.location']);
      expect(existsSync(path.join(folder.path, 'data/out', path.basename(file)))).toBe(true);
      // Never what a record holds, nor what a store says of it.
      expect(JSON.stringify(all)).not.toContain('secret');
    }
    const line = system
      .stderr()
      .split('\n')
      .find((text) => text.includes(httpRequestId));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ trace_id: client.traceId, req: { id: httpRequestId } });
    expect([...receiver.types]).toEqual(['application/x-protobuf']);
  },
);

test('The attempts of a killed worker and of the one after it are in one trace, whose batch has one span.', async () => {
  const hang = path.join(folder.path, 'hang');
  const api = await start('api');
  writeFileSync(hang, '');
  const killed = await start('worker');
  const client = clientContext();
  await send(api, [{ n: 1 }], client);
  await waitFor('the save to hang', () => existsSync(path.join(folder.path, 'hangs')));
  await killed.killGroup();
  const { rmSync } = await import('node:fs');
  rmSync(hang);
  await start('worker');
  const { records } = await traceWith(client.traceId, 1);
  const { batch, saves } = await batchOf(records[0]!);
  expect(spansNamed('batch', batch.traceId)).toHaveLength(1);
  expect(records).toHaveLength(1);
  // What the killed worker was doing it could not say; the attempt is counted.
  expect(saves.map(({ attributes, failed }) => [attributes['keepapart.attempt'], failed])).toEqual([
    [2, false],
  ]);
  expect(records[0]?.attributes).toMatchObject({ 'keepapart.record.attempts': 2 });
});

test('Requests that their client does not sample have no spans, unless a record is rolled back.', async () => {
  const system = await start('serve', { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' });
  const [quiet, failing, sampled] = [clientContext('00'), clientContext('00'), clientContext('01')];
  await send(system, [{ n: 1 }], quiet);
  const { requestId } = await send(system, [{ fails: 9 }], failing);
  const [rolledBack] = await waitFor('the record that was rolled back', () => {
    const found = spansNamed('record');
    return found.length > 0 && found;
  });
  expect(rolledBack).toMatchObject({ failed: true, attributes: { 'keepapart.record.id': `${requestId}:0` } });
  const { all } = await waitFor('its batch', () => {
    const ofBatch = receiver.spans.filter(({ traceId }) => traceId === rolledBack?.traceId);
    return ofBatch.some(({ name }) => name === 'batch') && { all: ofBatch };
  });
  expect(all.map(({ name }) => name).sort()).toEqual(['batch', 'record', 'roll back', 'write file']);
  await send(system, [{ n: 2 }], sampled);
  await traceWith(sampled.traceId, 1);
  const seen = receiver.spans.map(({ traceId }) => traceId);
  expect(seen).not.toContain(quiet.traceId);
  expect(seen).not.toContain(failing.traceId);
  expect([...receiver.types]).toEqual(['application/json']);
});

test('A stream and a list over TCP have a trace each, with at most 20 of their records.', async () => {
  const [port] = await choosePorts([{ port: 0, setting: 'TCP_PORT' }]);
  const system = await start('serve', { KEEPAPART_TCP_PORT: String(port) });
  const client = clientContext();
  const body = Array.from({ length: 30 }, (_, n) => JSON.stringify({ n })).join('\n');
  const response = await fetch(`${system.apiUrl}/v1/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': '"stream"', ...client },
    body,
  });
  expect(response.status).toBe(202);
  const { server, records } = await traceWith(client.traceId, 20);
  expect(server?.attributes).toMatchObject({ 'keepapart.request.records': 30 });
  expect(records).toHaveLength(20);

  const socket = connect(Number(system.gatewayAddress.split(':')[1]), '127.0.0.1');
  socket.write('[1]');
  const [list] = await waitFor('the span of the list', () => {
    const found = spansNamed('list over TCP');
    return found.length > 0 && found;
  });
  socket.destroy();
  expect(list).toMatchObject({
    kind: KIND.server,
    parentSpanId: '',
    attributes: { 'keepapart.request.records': 1 },
  });
  await waitFor('its record', () => spansNamed('record', list?.traceId).length === 1);
});

test('Without the variables nothing of OpenTelemetry but its API is loaded, and there are no spans.', async () => {
  const list = path.join(folder.path, 'modules.cjs');
  writeFileSync(
    list,
    `process.on('exit', () => require('node:fs').writeFileSync('modules-' + process.argv[2], Object.keys(require.cache).join('\\n')));`,
  );
  const off = { ...env, NODE_OPTIONS: `--require ${list}`, OTEL_TRACES_EXPORTER: 'none' };
  const system = await startSystem('serve', { cwd: folder.path, env: off });
  started.push(system);
  await send(system, [{ n: 1 }], clientContext());
  await waitFor('the record to be saved', async () => {
    const status = (await (await fetch(`${system.apiUrl}/v1/status`)).json()) as {
      total: { counters: { saved: number } };
    };
    return status.total.counters.saved === 1;
  });
  expect(await system.interrupt()).toBe(0);
  const { readFileSync } = await import('node:fs');
  const loaded = readFileSync(path.join(folder.path, 'modules-serve'), 'utf8').split('\n');
  expect(loaded.filter((module) => module.includes('/dist/src/'))).not.toEqual([]);
  // The API is a dependency of what makes metrics.
  expect(loaded.filter((module) => /@opentelemetry\/(?!api\/)|src\/tracing/.test(module))).toEqual([]);
  expect(receiver.spans).toEqual([]);
});

test('A start that is asked for traces without their packages, or for others than it has, says what to do.', async () => {
  const refuse = path.join(folder.path, 'refuse.cjs');
  writeFileSync(
    refuse,
    `const Module = require('node:module');
     const { _resolveFilename } = Module;
     Module._resolveFilename = function (request, ...more) {
       if (request === '@opentelemetry/sdk-trace-base')
         throw Object.assign(new Error("Cannot find module '" + request + "'"), { code: 'MODULE_NOT_FOUND' });
       return _resolveFilename.call(this, request, ...more);
     };`,
  );
  const run = async (more: Record<string, string>) => {
    const command = startCommand(['api'], { cwd: folder.path, env: { ...env, ...more } });
    started.push(command);
    expect(await command.ended).toBe(2);
    return command.stderr();
  };
  const missing = await run({ NODE_OPTIONS: `--require ${refuse}` });
  expect(missing).toContain(
    'Traces need the package @opentelemetry/sdk-trace-base, which is not installed: npm install',
  );
  expect(missing).toContain('@opentelemetry/exporter-trace-otlp-proto@');
  expect(await run({ OTEL_TRACES_EXPORTER: 'zipkin' })).toContain('OTEL_TRACES_EXPORTER is zipkin');
  expect(await run({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toContain('http/protobuf or http/json');
});
