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
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import {
  type BinaryMakers,
  type BinaryProgress,
  defaultCacheDir,
  resolveTemporalBinary,
  type ResolveOptions,
} from '../../src/temporal/embedded/binary';
import { buildFromSource } from '../../src/temporal/embedded/build-from-source';
import { cachedBinaryPath } from '../../src/temporal/embedded/cache';
import { download } from '../../src/temporal/embedded/download';
import { runCommand, stallGuard } from '../../src/temporal/embedded/run-command';
import { isAtLeast } from '../../src/temporal/embedded/version';

const OURS = 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)';
const NEWER = 'temporal version 1.8.2 (Server 1.32.0, UI 2.50.0)';
const OLD = 'temporal version 0.12.0 (server 1.24.1) (ui 2.26.2)';

/** Just enough for the fake executables; nothing of the machine's own PATH is found. */
const SYSTEM_PATH = '/usr/bin:/bin';

let root: string;
let cacheDir: string;
let bin: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keepapart-binary-'));
  cacheDir = join(root, 'cache');
  bin = join(root, 'bin');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function executable(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const printing = (version: string): string => `echo '${version}'`;

const noDownload: BinaryMakers['download'] = () => Promise.reject(new Error('no network in this test'));

async function resolveWith(
  options: Partial<ResolveOptions> = {},
  makers: Partial<BinaryMakers> = {},
): ReturnType<typeof resolveTemporalBinary> {
  const env = { PATH: [bin, SYSTEM_PATH].join(delimiter), HOME: root };
  return await resolveTemporalBinary(
    { cacheDir, env, ...options },
    { download: noDownload, build: buildFromSource, ...makers },
  );
}

describe('the order of the search', () => {
  test('temporal on PATH comes first', async () => {
    executable(cachedBinaryPath(cacheDir), printing(OURS));
    const path = executable(join(bin, 'temporal'), printing(NEWER));
    expect(await resolveWith()).toEqual({ path, source: 'path', version: '1.8.2', serverVersion: '1.32.0' });
  });

  test('a temporal on PATH that is too old is passed over, and progress says so', async () => {
    const cached = executable(cachedBinaryPath(cacheDir), printing(OURS));
    executable(join(bin, 'temporal'), printing(OLD));
    const messages: string[] = [];
    const found = await resolveWith({ onProgress: ({ message }) => messages.push(message) });
    expect(found).toEqual({ path: cached, source: 'cache', version: '1.5.1', serverVersion: '1.29.1' });
    expect(messages).toContainEqual(expect.stringContaining('server 1.24.1, older than 1.29.0'));
  });

  test('a temporal on PATH that is something else is passed over', async () => {
    executable(cachedBinaryPath(cacheDir), printing(OURS));
    executable(join(bin, 'temporal'), 'echo usage: temporal FILE; exit 2');
    expect((await resolveWith()).source).toBe('cache');
  });

  test('a file on PATH that may not be executed, and a folder of that name, are passed over as in a shell', async () => {
    const second = join(root, 'bin2');
    mkdirSync(join(bin, 'temporal'), { recursive: true });
    mkdirSync(join(root, 'bin3'));
    writeFileSync(join(root, 'bin3', 'temporal'), '');
    const path = executable(join(second, 'temporal'), printing(OURS));
    const env = { PATH: ['', bin, join(root, 'bin3'), second, SYSTEM_PATH].join(delimiter) };
    expect((await resolveWith({ env })).path).toBe(path);
  });

  test('a database that our version made is not given to a newer temporal on PATH (G3)', async () => {
    executable(cachedBinaryPath(cacheDir), printing(OURS));
    executable(join(bin, 'temporal'), printing(NEWER));
    expect((await resolveWith({ databaseVersion: '1.29.0' })).source).toBe('cache');
    expect((await resolveWith({ databaseVersion: '1.32.4' })).source).toBe('path');
  });

  test('a damaged binary in the cache is replaced', async () => {
    executable(cachedBinaryPath(cacheDir), 'exit 1');
    const found = await resolveWith(
      {},
      { download: (folder) => Promise.resolve(executable(join(folder, 'new'), printing(OURS))) },
    );
    expect(found).toMatchObject({ source: 'download', path: cachedBinaryPath(cacheDir) });
    expect((await resolveWith()).source).toBe('cache');
  });

  test('an abort ends the search with its reason, not with the next way', async () => {
    const controller = new AbortController();
    const build = jest.fn(() => Promise.reject(new Error('not to be called')));
    const aborted = resolveWith(
      { signal: controller.signal },
      {
        build,
        download: (_folder, { signal }) => {
          controller.abort(new Error('the user said stop'));
          return Promise.reject(signal.reason as Error);
        },
      },
    );
    await expect(aborted).rejects.toThrow('the user said stop');
    expect(build).not.toHaveBeenCalled();
  });

  test('when nothing works, one message says what was tried, why each failed, and the ways out', async () => {
    await expect(resolveWith()).rejects.toMatchObject({ code: 'temporal-binary-missing' });
    const message = await resolveWith().catch((error: unknown) => (error as Error).message);
    for (const part of [
      'temporal on PATH: not found',
      `cache (${cachedBinaryPath(cacheDir)}): empty`,
      'download: no network in this test',
      'build with Go: no go 1.25 or newer on PATH',
      'TEMPORAL_ADDRESS',
      'Go 1.25',
    ]) {
      expect(message).toContain(part);
    }
  });
});

describe('a build from source', () => {
  /** Like `go install -v`: what it does on stderr, the result in GOBIN. */
  const GO = `
echo "$@" > "$HOME/arguments"
echo "$CGO_ENABLED" > "$HOME/cgo"
echo 'go: downloading go.temporal.io/server v1.29.1' >&2
echo 'internal/goarch' >&2
echo 'go.temporal.io/server/temporal' >&2
echo 'github.com/temporalio/cli/cmd/temporal' >&2
printf '#!/bin/sh\\necho "%s"\\n' '${OURS}' > "$GOBIN/temporal"
chmod +x "$GOBIN/temporal"`;

  test('fills the cache, once, without a C compiler, and leaves nothing beside it', async () => {
    executable(join(bin, 'go'), GO);
    const built = await resolveWith();
    expect(built).toEqual({
      path: cachedBinaryPath(cacheDir),
      source: 'build',
      version: '1.5.1',
      serverVersion: '1.29.1',
    });
    expect(readFileSync(join(root, 'arguments'), 'utf8')).toContain(
      'github.com/temporalio/cli/cmd/temporal@v1.5.1',
    );
    expect(readFileSync(join(root, 'cgo'), 'utf8')).toBe('0\n');
    expect(readdirSync(join(cacheDir, 'temporal'))).toEqual(['1.5.1']);
    expect((await resolveWith()).source).toBe('cache');
  });

  test('reports its progress', async () => {
    const gate = join(root, 'gate');
    executable(
      join(bin, 'go'),
      GO.replace(
        "echo 'internal/goarch'",
        `while [ -d '${root}' ] && [ ! -e '${gate}' ]; do sleep 0.05; done\necho 'internal/goarch'`,
      ),
    );
    const seen: BinaryProgress[] = [];
    await resolveWith({
      onProgress: (progress) => {
        seen.push(progress);
        if (progress.message.includes('modules')) writeFileSync(gate, '');
      },
    });
    expect(seen).toContainEqual({
      phase: 'download',
      message: 'downloading the sources: 1 of about 160 modules',
      elapsedMs: expect.any(Number),
      share: 1 / 160,
    });
  });

  test('that fails says how Go put it, and leaves no half-made binary', async () => {
    executable(join(bin, 'go'), 'echo \'go: cannot reach the proxy\' >&2; : > "$GOBIN/temporal"; exit 1');
    await expect(resolveWith()).rejects.toThrow('go: cannot reach the proxy');
    expect(existsSync(cachedBinaryPath(cacheDir))).toBe(false);
    expect(readdirSync(join(cacheDir, 'temporal'))).toEqual(['1.5.1']);
  });

  test('two at once both end with a binary that runs', async () => {
    executable(join(bin, 'go'), GO);
    const both = await Promise.all([resolveWith(), resolveWith()]);
    expect(both.map(({ path }) => path)).toEqual([cachedBinaryPath(cacheDir), cachedBinaryPath(cacheDir)]);
    expect((await resolveWith()).source).toBe('cache');
  });
});

describe('the download by the SDK', () => {
  const report = jest.fn();
  const never = new AbortController().signal;

  /** A module in the SDK's place; `script` is the body of createLocal, with `file`, the path to download to. */
  function fakeSdk(script: string): string {
    const path = join(root, 'sdk.js');
    writeFileSync(
      path,
      `const { writeFileSync, renameSync } = require('node:fs');
       exports.TestWorkflowEnvironment = { createLocal: async ({ server: { executable } }) => {
         const file = executable.downloadDir + '/temporal-' + executable.version;
         ${script}
       } };`,
    );
    return path;
  }

  test('is taken as soon as it is whole, without waiting for the server that the SDK goes on to start', async () => {
    const sdk = fakeSdk(`
      writeFileSync(file + '.downloading', 'whole');
      renameSync(file + '.downloading', file);
      await new Promise((resolve) => setInterval(resolve, 2 ** 30));`);
    const path = await download(root, { env: {}, signal: never, report, sdk });
    expect(readFileSync(path, 'utf8')).toBe('whole');
  });

  test('fails with what the SDK says', async () => {
    const sdk = fakeSdk(`throw new Error('error sending request for url');`);
    await expect(download(root, { env: {}, signal: never, report, sdk })).rejects.toThrow(
      'error sending request',
    );
  });

  test('ends when it is aborted', async () => {
    const sdk = fakeSdk(`await new Promise((resolve) => setInterval(resolve, 2 ** 30));`);
    const controller = new AbortController();
    const aborted = download(root, { env: {}, signal: controller.signal, report, sdk });
    controller.abort(new Error('the user said stop'));
    await expect(aborted).rejects.toThrow('the user said stop');
  });
});

test('A command that shows no sign of life is ended.', async () => {
  const guard = stallGuard(1);
  const stuck = runCommand('/bin/sh', ['-c', 'exec sleep 600'], { env: {}, signal: guard.signal });
  await expect(stuck).rejects.toThrow('no progress');
  guard.release();
});

test('The cache follows XDG_CACHE_HOME when that is an absolute path.', () => {
  expect(defaultCacheDir({ XDG_CACHE_HOME: '/var/cache/me' }, '/home/me')).toBe('/var/cache/me/keepapart');
  expect(defaultCacheDir({ XDG_CACHE_HOME: 'cache' }, '/home/me')).toBe('/home/me/.cache/keepapart');
  expect(defaultCacheDir({}, '/home/me')).toBe('/home/me/.cache/keepapart');
});

test.each([
  ['1.29.0', '1.29.0', true],
  ['1.30.0', '1.29.1', true],
  ['1.9.9', '1.29.0', false],
  ['2.0.0', '1.29.0', true],
])('version %s is at least %s: %s', (version, oldest, expected) => {
  expect(isAtLeast(version, oldest)).toBe(expected);
});
