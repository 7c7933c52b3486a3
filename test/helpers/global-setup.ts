import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { defaultCacheDir, resolveTemporalBinary } from '../../src/temporal/embedded/binary';
import { startEmbeddedServer } from '../../src/temporal/embedded/embedded-server';
import { offerS3, TEST_S3 } from './s3-binary';
import { offerPostgres, TEST_POSTGRES } from './shared-postgres';
import { TEST_ADDRESS, TEST_BINARY } from './temporal-server';

declare global {
  /** Set here, used by global-teardown.ts, which runs in the same realm. */
  var stopTestServer: (() => Promise<void>) | undefined;
}

/**
 * Starts one Temporal server for the whole run, on a free port and with a database that is thrown away, and offers a
 * Postgres and the program of an S3 server likewise.
 */
export default async function globalSetup(): Promise<void> {
  const env = process.env;
  // End-to-end tests run dist/, and workflow tests its bundle; this does nothing where they are fresh.
  execFileSync(process.execPath, [resolve(__dirname, '../../scripts/build.mjs')], { stdio: 'inherit' });
  const binary = await resolveTemporalBinary({
    cacheDir: defaultCacheDir(env, homedir()),
    env,
    onProgress: ({ message }) => process.stderr.write(`${message}\n`),
  });
  const dataDir = await mkdtemp(join(tmpdir(), 'keepapart-test-'));
  const removeData = async (): Promise<void> => await rm(dataDir, { recursive: true, force: true });
  try {
    const server = await startEmbeddedServer({
      binary: binary.path,
      dataDir,
      port: 0,
      durable: false,
      // Whether a version is drained is looked at every three minutes otherwise.
      dynamicConfig: {
        'matching.wv.VersionDrainageStatusVisibilityGracePeriod': '"1s"',
        'matching.wv.VersionDrainageStatusRefreshInterval': '"1s"',
      },
      env,
    });
    const postgres = await offerPostgres();
    const s3 = await offerS3();
    globalThis.stopTestServer = async () => {
      await postgres.close();
      await s3.close();
      await server.stop();
      await removeData();
    };
    process.env[TEST_ADDRESS] = server.address;
    process.env[TEST_BINARY] = binary.path;
    process.env[TEST_POSTGRES] = postgres.url;
    process.env[TEST_S3] = s3.url;
  } catch (error) {
    await removeData();
    throw error;
  }
}
