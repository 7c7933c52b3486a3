import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { choosePorts } from '../../src/temporal/embedded/ports';
import { startPostgres, type PostgresServer } from '../helpers/postgres-server';
import { startS3 } from '../helpers/s3-server';
import { waitFor } from '../helpers/wait-for';

/** The stores that can be attacked; `file` is the default of keepapart. */
export const STORES = ['file', 'postgres', 's3', 'http', 'own'] as const;
export type StoreName = (typeof STORES)[number];

/** Those with a server of their own, which is attacked as well. */
export function hasServer(store: StoreName): boolean {
  return store !== 'file' && store !== 'own';
}

/** What a store needs besides the workers. */
export interface AttackedBackEnd {
  /** Settings without `KEEPAPART_`. */
  settings: Record<string, string>;
  /** Kills and starts again; undefined where no server belongs to the store. */
  server?: { kill(): Promise<void>; start(): Promise<void> };
  postgres?: PostgresServer;
  remove(): Promise<void>;
}

const EXAMPLES = path.resolve(__dirname, '../../examples');

/** Starts what a store needs. */
export async function startBackEnd(store: StoreName, folder: string): Promise<AttackedBackEnd> {
  switch (store) {
    case 'file':
      return { settings: { STORE: store }, remove: () => Promise.resolve() };
    case 'postgres': {
      const postgres = await startPostgres();
      const settings = { STORE: store, POSTGRES_URL: postgres.url };
      return { settings, server: postgres, postgres, remove: () => postgres.remove() };
    }
    case 's3': {
      const server = await startS3();
      const { endpoint, bucket } = server;
      return {
        settings: { STORE: store, S3_ENDPOINT: endpoint, S3_BUCKET: bucket, STORE_TIMEOUT_MS: '5000' },
        server,
        remove: () => server.remove(),
      };
    }
    case 'http':
      return startReceiver(folder);
    case 'own':
      // Where the example saves; workers inherit it.
      process.env['SAVED'] = path.join(folder, 'saved');
      return {
        settings: { STORE: path.join(EXAMPLES, 'own-store/store.mjs') },
        remove: () => Promise.resolve(),
      };
  }
}

/** The Python receiver of the examples, with a database in the folder. */
async function startReceiver(folder: string): Promise<AttackedBackEnd> {
  const [port = 0] = await choosePorts([{ port: 0, setting: 'STORE_URL' }]);
  const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
  const program = [
    path.join(EXAMPLES, 'http-receiver/receiver.py'),
    String(port),
    path.join(folder, 'records.db'),
  ];
  let receiver: ChildProcess | undefined;
  const server = {
    async kill() {
      if (receiver === undefined || receiver.exitCode !== null || receiver.signalCode !== null) return;
      const ended = once(receiver, 'exit');
      receiver.kill('SIGKILL');
      await ended;
    },
    async start() {
      receiver = spawn('python3', program, { env: { ...process.env, SECRETS: secret }, stdio: 'ignore' });
      await waitFor('the receiver to listen', () => isListening(port));
    },
  };
  await server.start();
  return {
    settings: {
      STORE: 'http',
      STORE_URL: `http://127.0.0.1:${port}/`,
      STORE_SECRETS: secret,
      STORE_PRIVATE_ADDRESSES: 'allow',
      STORE_TIMEOUT_MS: '5000',
    },
    server,
    remove: () => server.kill(),
  };
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
