import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { choosePorts } from '../../../src/temporal/embedded/ports';
import { goInstalled } from '../installs';
import type { Stage } from '../stage';
import { findPostgres, startPostgres } from './postgres';

const run = promisify(execFile);

/** The server that the embedded CLI of keepapart contains, as a module of its own. */
const MODULE = 'go.temporal.io/server';
const VERSION = 'v1.29.1';
const HISTORY_SHARDS = 4;

/** Temporal's server and its schema tool, from the Go module proxy; minutes of compiling the first time. */
export async function findTemporalServer(): Promise<{ server: string; sql: string }> {
  const bin = await goInstalled(`temporal-server-${VERSION}`, [
    `${MODULE}/cmd/server@${VERSION}`,
    `${MODULE}/cmd/tools/sql@${VERSION}`,
  ]);
  return { server: path.join(bin, 'server'), sql: path.join(bin, 'sql') };
}

/** Temporal as one runs it in production: its server, all four services in one process, on Postgres. @returns its address */
export async function startTemporalOnPostgres(stage: Stage): Promise<string> {
  const binaries = await findTemporalServer();
  const postgres = new URL(await startPostgres(stage, await findPostgres()));
  await prepareDatabase(binaries.sql, postgres, 'temporal', 'temporal');
  await prepareDatabase(binaries.sql, postgres, 'temporal_visibility', 'visibility');

  const folder = await stage.dataFolder('temporal');
  const ports = await freePorts(9);
  await mkdir(path.join(folder, 'config'));
  await writeFile(path.join(folder, 'config', 'dynamic.yaml'), '{}\n');
  // JSON is YAML.
  const config = JSON.stringify(configuration(postgres.host, ports, folder));
  await writeFile(path.join(folder, 'config', 'bench.yaml'), config);
  const args = ['--root', folder, '--config', 'config', '--env', 'bench', '--allow-no-auth', 'start'];
  await stage.start('server', binaries.server, args, {
    up: /"?worker service started"?|Started Worker Services/i,
  });
  return `127.0.0.1:${ports[0] ?? 0}`;
}

/** Below 32,768: Temporal's schema keeps the ports of its members as `smallint`. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let port = 20_000 + randomInt(10_000); ports.length < count && port < 32_768; port++) {
    const chosen = await choosePorts([{ port, setting: 'temporal' }]).catch(() => []);
    ports.push(...chosen);
  }
  return ports;
}

async function prepareDatabase(tool: string, postgres: URL, database: string, schema: string): Promise<void> {
  const where = [
    '--plugin',
    'postgres12',
    '--endpoint',
    postgres.hostname,
    '--port',
    postgres.port,
    '--user',
    'bench',
  ];
  const steps = [
    ['create'],
    ['setup-schema', '--version', '0.0'],
    ['update-schema', '--schema-name', `postgresql/v12/${schema}`],
  ];
  for (const step of steps) await run(tool, [...where, '--database', database, ...step]);
}

function configuration(connectAddr: string, ports: readonly number[], folder: string) {
  const [frontend = 0, ...rest] = ports;
  const store = (databaseName: string, maxConns: number) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr,
      connectProtocol: 'tcp',
      user: 'bench',
      password: '',
      maxConns,
      maxIdleConns: maxConns,
      maxConnLifetime: '1h',
    },
  });
  const rpc = (grpcPort: number, membershipPort = 0) => ({
    rpc: { grpcPort, membershipPort, bindOnLocalHost: true },
  });
  return {
    log: { stdout: true, level: 'info' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: HISTORY_SHARDS,
      datastores: { default: store('temporal', 20), visibility: store('temporal_visibility', 10) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: {
      frontend: rpc(frontend, rest[0]),
      matching: rpc(rest[1] ?? 0, rest[2]),
      history: rpc(rest[3] ?? 0, rest[4]),
      worker: rpc(rest[5] ?? 0, rest[6]),
    },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `localhost:${frontend}`,
        },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: path.join(folder, 'config', 'dynamic.yaml'), pollInterval: '10s' },
  };
}
