import pino from 'pino';
import type { GatewayBounds, GatewayDeps } from '../../src/tcp/deps';
import { startGateway, type Gateway } from '../../src/tcp/gateway';
import { FakeBatcherClient } from '../helpers/fake-batcher-client';
import { leaveAll, lineClient, type LineClient } from '../helpers/line-client';

export interface TestGateway extends Gateway {
  batcher: FakeBatcherClient;
  /** Every log line so far, as text. */
  logs: string[];
  /** What the gateway is told when it asks whether it is draining. */
  drain: { on: boolean };
  connect(): Promise<LineClient>;
  /** Values of the lists that were handed over, in order. */
  taken(): unknown[][];
}

const gateways: Gateway[] = [];

/** The gateway over a fake batcher on a free port, with limits that are small enough to reach. */
export async function testGateway(
  overrides: Partial<GatewayDeps> = {},
  bounds: Partial<GatewayBounds> = {},
): Promise<TestGateway> {
  const batcher = new FakeBatcherClient();
  const logs: string[] = [];
  const drain = { on: false };
  let requests = 0;
  const deps: GatewayDeps = {
    batcher,
    limits: { maxRecordBytes: 1000, maxRequestBytes: 10_000, maxRequestRecords: 50 },
    logger: pino({ level: 'trace' }, { write: (line: string) => void logs.push(line) }),
    newRequestId: () => `r${++requests}`,
    isDraining: () => drain.on,
    ...overrides,
  };
  const gateway = await startGateway(deps, { port: 0, bounds });
  gateways.push(gateway);
  return {
    ...gateway,
    batcher,
    logs,
    drain,
    connect: () => lineClient(gateway.port),
    taken: () => batcher.accepted.map(({ values }) => values),
  };
}

/** For `afterEach`. */
export async function closeGateways(): Promise<void> {
  leaveAll();
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close({ graceMs: 0 })));
}
