import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { SECOND } from '../../domain/duration';
import { WITHOUT_PROXY } from '../server/proxy';
import { accepts, type Endpoint, LOOPBACK } from './ports';

const POLL_MS = 50;
const CALL_LIMIT_MS = 5 * SECOND;

/**
 * Waits until the server answers for its namespace, and its Web UI, if any, accepts connections.
 * @throws only the reason of `signal`
 */
export async function waitUntilHealthy(
  ports: { port: number; webUi?: Endpoint | undefined },
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const { port, webUi } = ports;
  // gRPC waits a second after a refused connection, so probe the port first.
  while (!(await accepts(port))) await delay(POLL_MS, undefined, { signal });
  const connection = Connection.lazy({ address: `${LOOPBACK}:${port}`, channelArgs: WITHOUT_PROXY });
  try {
    while (!(await answers(connection, namespace))) await delay(POLL_MS, undefined, { signal });
    while (webUi !== undefined && !(await accepts(webUi.port, webUi.host)))
      await delay(POLL_MS, undefined, { signal });
  } finally {
    await connection.close();
  }
}

async function answers(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return true;
  } catch {
    return false;
  }
}
