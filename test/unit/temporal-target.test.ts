import { createSecureServer, type Http2SecureServer, type IncomingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectClient, temporalTarget } from '../../src/temporal/server/connection';
import { connectWorker } from '../../src/temporal/worker/worker-connection';
import { selfSigned } from '../helpers/certificates';

let folder: string;
let caFile: string;
let server: Http2SecureServer;
let address: string;
/** The header of every call that the server was sent. */
const calls: IncomingHttpHeaders[] = [];

/** As much of a Temporal server behind TLS as a connection asks for before it counts as one. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'keepapart-temporal-tls-'));
  const pair = await selfSigned('temporal.example');
  caFile = path.join(folder, 'ca.pem');
  await writeFile(caFile, pair.cert);
  server = createSecureServer(pair);
  server.on('stream', (stream, headers) => {
    calls.push(headers);
    const trailers = { 'grpc-status': '12', 'grpc-message': 'unimplemented' };
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => void calls.splice(0));

test('Without any variable it is a server on this machine, without TLS and key.', () => {
  expect(temporalTarget({})).toEqual({
    options: { address: 'localhost:7233', apiKey: undefined, tls: undefined, metadata: undefined },
    namespace: 'default',
  });
});

test('TLS, key and namespace reach the options of the connection.', () => {
  const target = temporalTarget({
    TEMPORAL_ADDRESS: 'temporal.example:7233',
    TEMPORAL_NAMESPACE: 'shop',
    TEMPORAL_API_KEY: 's3cret',
    TEMPORAL_TLS: 'true',
    TEMPORAL_TLS_SERVER_NAME: 'inside.example',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: caFile,
    TEMPORAL_TLS_CLIENT_CERT_DATA: 'our certificate',
    TEMPORAL_TLS_CLIENT_KEY_DATA: 'our key',
  });
  expect(target).toMatchObject({
    namespace: 'shop',
    options: {
      address: 'temporal.example:7233',
      apiKey: 's3cret',
      tls: {
        serverNameOverride: 'inside.example',
        serverRootCACertificate: expect.any(Uint8Array),
        clientCertPair: { crt: expect.any(Uint8Array), key: expect.any(Uint8Array) },
      },
    },
  });
});

test('An API key alone switches TLS on, so that it never travels in the clear.', () => {
  expect(temporalTarget({ TEMPORAL_API_KEY: 's3cret' }).options.tls).toBe(true);
});

test('The client uses TLS, trusts the configured certificate authority, and sends its key.', async () => {
  const env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_API_KEY: 's3cret',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: caFile,
  };
  const client = await connectClient(temporalTarget(env));
  await client.connection.close();
  expect(calls.map(({ authorization }) => authorization)).toEqual(['Bearer s3cret']);
});

test('An untrusted server receives nothing.', async () => {
  const target = temporalTarget({ TEMPORAL_ADDRESS: address, TEMPORAL_API_KEY: 's3cret' });
  await expect(connectWorker(target)).rejects.toMatchObject({ code: 'temporal-unavailable' });
  expect(calls).toEqual([]);
});

test('Files that are not there, or mean nothing, are invalid-config, and are not quoted.', async () => {
  const broken = path.join(folder, 'broken.toml');
  await writeFile(broken, '[profile.default\napi_key = "s3cret" "\n');
  const missing = path.join(folder, 'missing.pem');
  for (const env of [{ TEMPORAL_CONFIG_FILE: broken }, { TEMPORAL_TLS_SERVER_CA_CERT_PATH: missing }]) {
    const load = () => temporalTarget(env);
    expect(load).toThrow(expect.objectContaining({ code: 'invalid-config' }));
    expect(load).toThrow(/TEMPORAL_/);
    expect(load).not.toThrow(/s3cret/);
  }
});
