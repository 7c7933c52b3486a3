import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND } from '../../../src/domain/duration';
import { choosePorts } from '../../../src/temporal/embedded/ports';
import type { Stage } from '../stage';

/** Where its ports are. */
export interface RestateAddress {
  ingress: string;
  admin: string;
}

/**
 * Restate's server, one node, as it comes: its log is synced to disk before anything is acknowledged
 * (`log-server.rocksdb-disable-wal-fsync` is false).
 */
export async function startRestate(stage: Stage, modules: string): Promise<RestateAddress> {
  const wish = { port: 0, setting: 'restate' };
  const [ingress = 0, admin = 0, node = 0] = await choosePorts([wish, wish, wish]);
  const folder = await stage.dataFolder('restate');
  const platform = `@restatedev/restate-server-${process.platform}-${process.arch}`;
  const env = {
    RESTATE_BASE_DIR: folder,
    RESTATE_BIND_IP: '127.0.0.1',
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_DISABLE_TELEMETRY: 'true',
  };
  await stage.start('server', path.join(modules, platform, 'bin/restate-server'), [], { env, up: /\S/ });
  const address = { ingress: `http://127.0.0.1:${ingress}`, admin: `http://127.0.0.1:${admin}` };
  await answers(`${address.admin}/health`);
  await answers(`${address.ingress}/restate/health`);
  return address;
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + 30 * SECOND;
  while ((await fetch(url).catch(() => undefined))?.ok !== true) {
    if (Date.now() > deadline) throw new Error(`${url} doesn't answer`);
    await sleep(100);
  }
}

/** Makes the services of a worker known, as `restate deployments register` does. */
export async function registerServices({ admin }: RestateAddress, port: number): Promise<void> {
  const answer = await fetch(`${admin}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
  });
  if (!answer.ok) throw new Error(`restate doesn't take the worker: ${answer.status} ${await answer.text()}`);
}
