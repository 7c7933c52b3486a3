import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { startSystem, temporaryFolder, type System } from '../helpers/system';
import { CHART } from './chart-files';

const API_KEY = 'the-key-of-helm-test';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let system: System;
beforeAll(async () => {
  folder = await temporaryFolder();
  const hash = createHash('sha256').update(API_KEY).digest('hex');
  system = await startSystem('serve', {
    cwd: folder.path,
    env: { KEEPAPART_API_KEYS: `helm:${hash}:ingest+read+operate` },
  });
});
afterAll(async () => {
  await system.interrupt();
  await folder.remove();
});

/** Runs what `helm test` runs in its pod, with the build of this checkout in place of the image's. */
async function runTest(apiKey: string): Promise<{ code: unknown; output: string }> {
  const ran = promisify(execFile)(process.execPath, [path.join(CHART, 'files/send-and-audit.js')], {
    env: {
      TEST_API_URL: system.apiUrl,
      TEST_API_KEY: apiKey,
      TEST_APP_FOLDER: path.resolve(__dirname, '../..'),
    },
  });
  return ran.then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: unknown) => {
      const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
      return { code, output: stdout + stderr };
    },
  );
}

test('The pod of helm test passes if records are saved and the audit is clean, and fails for a wrong key or damage.', async () => {
  expect(await runTest(API_KEY)).toMatchObject({
    code: 0,
    output: expect.stringMatching(
      /^sent 2 records as .*\n2 saved, 0 rolled back\nthe audit found no damage\n$/,
    ),
  });
  expect(await runTest('another-key')).toMatchObject({ code: 1 });

  const out = path.join(folder.path, 'data/out');
  const [file = ''] = (await readdir(out)).filter((name) => name.endsWith('.log'));
  const text = await readFile(path.join(out, file), 'utf8');
  await writeFile(path.join(out, file), text.slice(0, -5));
  const damaged = await runTest(API_KEY);
  expect(damaged).toMatchObject({ code: 1, output: expect.stringContaining('the audit found damage') });
});
