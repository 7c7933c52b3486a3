import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  startEmbeddedServer,
} from '../../src/temporal/embedded/embedded-server';
import { endProcess, identify, type ProcessIdentity } from '../../src/temporal/embedded/process-identity';
import { testServer } from '../helpers/temporal-server';

const { binary } = testServer();

let root: string;
let dataDir: string;
const servers: EmbeddedServer[] = [];
const children: ChildProcess[] = [];
/** Servers that are to end by themselves; ended here should they not. */
const orphans: ProcessIdentity[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keepapart-server-'));
  dataDir = join(root, 'data');
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await Promise.all(orphans.splice(0).map(endProcess));
  rmSync(root, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedServerOptions> = {}): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer({ binary, dataDir, port: 0, env: process.env, ...options });
  servers.push(server);
  return server;
}

async function failure(starting: Promise<unknown>): Promise<{ code: string; message: string }> {
  return await starting.then(
    () => {
      throw new Error('it started');
    },
    (error: unknown) => error as { code: string; message: string },
  );
}

async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

/** Gives up after a while, so that a failure is reported rather than waited out. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries === 400) throw new Error(`still not so: ${condition.toString()}`);
    await delay(50);
  }
}

const isGone = async (pid: number): Promise<boolean> => (await identify(pid)) === undefined;

/** A stand-in for `temporal`: answers --version as the real one, and otherwise runs `script`. */
function fakeBinary(script: string): string {
  const path = join(root, 'temporal');
  writeFileSync(path, `#!/bin/sh\nif [ "$1" = --version ]; then exec '${binary}' --version; fi\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('a database', () => {
  test('A database outlives its server: after a restart on other ports the workflow is still there (G3).', async () => {
    const first = await start();
    const workflowId = 'outlives';
    await withClient(first.address, (client) =>
      client.workflow.start('nobodyRunsThis', { workflowId, taskQueue: 'nobody', args: [] }),
    );
    await first.stop();

    const second = await start();
    const found = await withClient(second.address, (client) =>
      client.workflow.getHandle(workflowId).describe(),
    );
    expect(found.status.name).toBe('RUNNING');
  });

  test('A database outlives a killed server, and the kill is reported (G3).', async () => {
    const first = await start();
    const workflowId = 'outlives-kill';
    await withClient(first.address, (client) =>
      client.workflow.start('nobodyRunsThis', { workflowId, taskQueue: 'nobody', args: [] }),
    );
    process.kill(first.pid, 'SIGKILL');
    expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL', requested: false });
    await first.stop();

    const second = await start();
    const found = await withClient(second.address, (client) =>
      client.workflow.getHandle(workflowId).describe(),
    );
    expect(found.status.name).toBe('RUNNING');
  });

  test('A database that a killed first start left incomplete is created again.', async () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'temporal.unfinished'), '');
    writeFileSync(join(dataDir, 'temporal.db'), '');
    const server = await start();
    await withClient(server.address, (client) => client.workflow.count());
    expect(readdirSync(dataDir)).not.toContain('temporal.unfinished');
  });

  test('A database of another minor version of the server is refused, with the ways out.', async () => {
    await (await start()).stop();
    writeFileSync(join(dataDir, 'temporal.version'), '1.17.0\n');
    const { code, message } = await failure(start());
    expect(code).toBe('temporal-start-failed');
    expect(message).toContain('was created by Temporal server 1.17.0');
  });

  test('A database that a live keepapart uses is refused, and released when that one stops.', async () => {
    const first = await start();
    const { code, message } = await failure(start());
    expect(code).toBe('temporal-start-failed');
    expect(message).toContain(`process ${process.pid}`);
    await first.stop();
    await start();
  });

  test('A database may be in a folder whose name has special characters of a URI.', async () => {
    dataDir = join(root, 'a %41?b#c d');
    await start();
    expect(existsSync(join(dataDir, 'temporal.db'))).toBe(true);
  });
});

describe('starting', () => {
  test('Starting the server opens a Web UI if asked to, and keeps its output out of ours.', async () => {
    const server = await start({ webUi: true });
    const { host, port } = server.webUi!;
    const page = await fetch(`http://${host}:${port}`);
    expect(page.status).toBe(200);
    await server.stop();
    expect(readFileSync(server.logFile, 'utf8')).toContain('Server:');
  });

  (existsSync('/proc/self/environ') ? test : test.skip)(
    'hands on of the environment what a server needs, and nothing that is secret',
    async () => {
      const secrets = {
        KEEPAPART_POSTGRES_URL: 'postgres://us:s3cret@db/records',
        KEEPAPART_API_KEY: 's3cret',
        TEMPORAL_API_KEY: 's3cret',
        AWS_SECRET_ACCESS_KEY: 's3cret',
        PGPASSWORD: 's3cret',
        http_proxy: 'http://us:s3cret@proxy.example',
      };
      const server = await start({ env: { ...process.env, GOMAXPROCS: '1', ...secrets } });
      const theirs = readFileSync(`/proc/${server.pid}/environ`, 'utf8');
      expect(theirs).not.toContain('s3cret');
      expect(theirs).toContain('GOMAXPROCS=1');
      expect(theirs).toContain('PATH=');
    },
  );

  test('Several servers that start at once get ports of their own.', async () => {
    const started = await Promise.all(
      ['a', 'b', 'c'].map((name) => start({ dataDir: join(root, name), webUi: true })),
    );
    const places = started.flatMap(({ address, webUi }) => [address, `${webUi?.host}:${webUi?.port}`]);
    expect(new Set(places).size).toBe(6);
  });

  test('Starting the server creates the requested namespace.', async () => {
    const server = await start({ namespace: 'orders' });
    await withClient(server.address, (client) =>
      client.workflowService.describeNamespace({ namespace: 'orders' }),
    );
  });

  test('Starting the server on a taken port fails before it runs, naming the port and the ways out.', async () => {
    const taken = createServer();
    await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
    const { port } = taken.address() as AddressInfo;
    try {
      const { code, message } = await failure(start({ port }));
      expect(code).toBe('port-in-use');
      for (const part of [String(port), 'TEMPORAL_PORT', 'KEEPAPART_TEMPORAL_PORT', 'TEMPORAL_ADDRESS='])
        expect(message).toContain(part);
      expect(existsSync(join(dataDir, 'temporal.db'))).toBe(false);
    } finally {
      taken.close();
    }
    await start();
  });

  test('Starting the server in a read-only folder fails, naming the folder and its setting.', async () => {
    writeFileSync(join(root, 'file'), '');
    const { code, message } = await failure(start({ dataDir: join(root, 'file', 'data') }));
    expect(code).toBe('folder-not-writable');
    expect(message).toContain('DATA_DIR');
    expect(message).toContain(join(root, 'file', 'data'));
  });

  test('Starting a server that ends at once fails with the end of its log.', async () => {
    const { code, message } = await failure(
      start({ binary: fakeBinary('echo the disk is on fire >&2; exit 3') }),
    );
    expect(code).toBe('temporal-start-failed');
    expect(message).toContain('it exited with 3');
    expect(message).toContain('the disk is on fire');
    await start();
  });

  test.each([
    ['its last words', "echo 'listen tcp 127.0.0.1:1: bind: address already in use' >&2"],
    [
      'a panic above a long stack',
      "echo 'panic: listen tcp 127.0.0.1:1: bind: address already in use' >&2; seq 100 >&2",
    ],
    [
      'a panic where it would use the port',
      "echo 'panic: nil pointer' >&2; echo 'go.temporal.io/server/service/frontend.NewHTTPAPIServer(0x1)' >&2; seq 100 >&2",
    ],
    ['a panic when it looks for ports', "echo 'panic: failed assigning ephemeral port: no' >&2; seq 100 >&2"],
  ])('is repeated when another process takes one of the ports meanwhile, by %s', async (_, says) => {
    const marker = join(root, 'second');
    const losesOnce = `
      if [ ! -e '${marker}' ]; then
        : > '${marker}'
        ${says}
        exit 2
      fi
      exec '${binary}' "$@"`;
    await start({ binary: fakeBinary(losesOnce) });
  });

  test('Starting the server can be aborted, and leaves no server behind.', async () => {
    const pidFile = join(root, 'pid');
    const controller = new AbortController();
    const starting = start({
      binary: fakeBinary(`echo $$ > '${pidFile}'; exec sleep 600`),
      signal: controller.signal,
    });
    const failed = failure(starting);
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
    controller.abort(new Error('the user said stop'));
    expect((await failed).message).toBe('the user said stop');
    expect(await isGone(Number(readFileSync(pidFile, 'utf8')))).toBe(true);
  });

  test('Starting the server ends the one of a keepapart that was killed together with its watchdog.', async () => {
    const orphan = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = spawn('true', { stdio: 'ignore' });
    children.push(orphan);
    mkdirSync(dataDir);
    const claim = { owner: { pid: ended.pid, started: 'long ago' }, server: await identify(orphan.pid ?? 0) };
    writeFileSync(join(dataDir, 'temporal.pid'), JSON.stringify(claim));
    await start();
    expect(await isGone(orphan.pid ?? 0)).toBe(true);
  });

  test('Starting the server leaves a process alone that happens to have the pid of a former server.', async () => {
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore' });
    children.push(stranger);
    mkdirSync(dataDir);
    const former = { pid: stranger.pid, started: 'long ago' };
    writeFileSync(join(dataDir, 'temporal.pid'), JSON.stringify({ owner: former, server: former }));
    await start();
    expect(await isGone(stranger.pid ?? 0)).toBe(false);
  });

  test.each([
    ['400 unless the environment sets it', {}, '400'],
    ['what the environment sets', { GOGC: '50' }, '50'],
  ])('gives the server a GOGC of %s', async (_, set, expected) => {
    const told = join(root, 'gogc');
    const env = { ...process.env, GOGC: undefined, ...set };
    await failure(start({ binary: fakeBinary(`printf %s "$GOGC" > '${told}'; exit 3`), env }));
    expect(readFileSync(told, 'utf8')).toBe(expected);
  });
});

describe('stopping', () => {
  test('Stopping the server is graceful, may be repeated, and leaves no claim.', async () => {
    const server = await start();
    await Promise.all([server.stop(), server.stop()]);
    expect(await server.exited).toEqual({ code: 0, signal: null, requested: true });
    expect(await isGone(server.pid)).toBe(true);
    expect(readdirSync(dataDir)).not.toContain('temporal.pid');
  });

  /** Loads the TypeScript sources in a plain Node process, starts a server there and prints its pid. */
  const PARENT = `
    const { transformFileSync } = require('@swc/core');
    require.extensions['.ts'] = (module, file) => {
      const options = { module: { type: 'commonjs' }, jsc: { target: 'es2022', parser: { syntax: 'typescript' } } };
      module._compile(transformFileSync(file, options).code, file);
    };
    const { startEmbeddedServer } = require(process.argv[1]);
    startEmbeddedServer({ ...JSON.parse(process.argv[2]), env: process.env }).then(({ pid }) => {
      console.log(pid);
      if (process.argv[3] === 'stays') setInterval(() => {}, 2 ** 30);
    });`;

  async function startInParent(then: 'stays' | 'ends'): Promise<{ parentPid: number; serverPid: number }> {
    const module = join(__dirname, '../../src/temporal/embedded/embedded-server.ts');
    const options = JSON.stringify({ binary, dataDir, port: 0 });
    const parent = spawn(process.execPath, ['-e', PARENT, module, options, then], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(parent);
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const server = await identify(Number(line));
    if (server === undefined) throw new Error('the server has ended already');
    orphans.push(server);
    return { parentPid: parent.pid ?? 0, serverPid: server.pid };
  }

  test('The server stops by itself when our whole process group is killed.', async () => {
    const { parentPid, serverPid } = await startInParent('stays');
    expect(await isGone(serverPid)).toBe(false);
    process.kill(-parentPid, 'SIGKILL');
    await until(() => isGone(serverPid));
  });

  test('The server stops by itself when our process ends without stopping it.', async () => {
    const { parentPid, serverPid } = await startInParent('ends');
    await until(() => isGone(parentPid));
    await until(() => isGone(serverPid));
  });

  test('A restart right after a kill waits until the previous server has stopped.', async () => {
    const { parentPid, serverPid } = await startInParent('stays');
    process.kill(-parentPid, 'SIGKILL');
    await until(() => isGone(parentPid));
    await start();
    expect(await isGone(serverPid)).toBe(true);
  });

  test('Ctrl-C, which reaches only our process group, does not stop the server.', async () => {
    const server = await start();
    const groupOf = (pid: number): number => Number(execFileSync('ps', ['-o', 'pgid=', '-p', String(pid)]));
    expect(groupOf(server.pid)).toBe(server.pid);
    expect(groupOf(server.pid)).not.toBe(groupOf(process.pid));
  });
});
