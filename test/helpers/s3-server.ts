import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { choosePorts } from '../../src/temporal/embedded/ports';
import { s3Binary } from './s3-binary';
import { waitFor } from './wait-for';

/** A real S3 server of a test's own. */
export interface S3Server {
  /** `http://127.0.0.1:…`. */
  endpoint: string;
  /** A bucket that is there. */
  bucket: string;
  /** Credentials and region, as the AWS SDK finds them. */
  env: Record<string, string>;
  /** A client of the test's own. */
  client: S3Client;
  /** Every key below this prefix. */
  keys(prefix: string): Promise<string[]>;
  /** Makes an object so much older. */
  age(key: string, ms: number): void;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Again, on the same port and with what it has. */
  start(): Promise<void>;
  /** Ends it and removes everything. */
  remove(): Promise<void>;
}

const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Says the server's process id, and kills it when our end of the pipe is gone, and so also when we are killed. */
const GUARDED =
  'exec 3<&0; "$@" >&2 & pid=$!; echo $pid; (read -r _ <&3; kill -KILL $pid) 2>/dev/null & wait $pid';

/** Starts one on a free port, with an empty bucket; takes a quarter of a second. */
export async function startS3({ binary = s3Binary(), root: parent = ROOT } = {}): Promise<S3Server> {
  const root = mkdtempSync(path.join(parent, 'keepapart-s3-'));
  const [data, metadata] = [path.join(root, 'data'), path.join(root, 'metadata')];
  for (const folder of [data, metadata]) mkdirSync(folder);
  const [port] = await choosePorts([{ port: 0, setting: 'S3_ENDPOINT' }]);
  const endpoint = `http://127.0.0.1:${port}`;
  const env = {
    AWS_ACCESS_KEY_ID: 'keepapart',
    AWS_SECRET_ACCESS_KEY: 'for-tests-only',
    AWS_REGION: 'us-east-1',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
  // Where the store of this process looks for them.
  Object.assign(process.env, env);
  const client = new S3Client({ endpoint, forcePathStyle: true });
  const bucket = 'test-bucket';
  let guard: ChildProcess | undefined;
  let pid: number | undefined;

  async function end(): Promise<void> {
    if (guard === undefined || pid === undefined || guard.exitCode !== null) return;
    const exit = once(guard, 'exit');
    process.kill(pid, 'SIGKILL');
    await exit;
  }

  const server: S3Server = {
    endpoint,
    bucket,
    env,
    client,
    async keys(prefix) {
      const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
      return (page.Contents ?? []).map(({ Key }) => Key ?? '');
    },
    async start() {
      const command = [
        ...[await binary, '--port', `127.0.0.1:${port}`, '--keep-alive', '--quiet', '--health', '/health'],
        ...['posix', '--sidecar', metadata, data],
      ];
      const child = spawn('sh', ['-c', GUARDED, 'sh', ...command], {
        env: {
          PATH: process.env['PATH'],
          ROOT_ACCESS_KEY: env.AWS_ACCESS_KEY_ID,
          ROOT_SECRET_KEY: env.AWS_SECRET_ACCESS_KEY,
        },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      guard = child;
      let log = '';
      child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
      child.stdin.on('error', () => undefined);
      // The one who waits for our end of the pipe goes with it.
      child.once('exit', () => child.stdin.end());
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      pid = Number(line.toString());
      await waitFor('the S3 server to answer', async () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${log}`);
        return (await fetch(`${endpoint}/health`)).ok;
      });
    },
    age(key, ms) {
      const file = path.join(data, bucket, key);
      const at = new Date(statSync(file).mtimeMs - ms);
      utimesSync(file, at, at);
    },
    kill: end,
    async remove() {
      client.destroy();
      await end();
      rmSync(root, { recursive: true, force: true });
    },
  };
  try {
    await server.start();
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    await server.remove();
    throw error;
  }
  return server;
}
