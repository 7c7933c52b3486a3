import {
  Client,
  Connection,
  defaultGrpcRetryOptions,
  isRetryableError,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { KeepapartError } from '../../domain/errors';
import { MIB, SECOND } from '../../domain/duration';

/** Where Temporal is and how to get in, as the SDK takes it. */
export interface TemporalTarget {
  options: NativeConnectionOptions & { address: string };
  namespace: string;
}

const DEFAULT_ADDRESS = 'localhost:7233';
const DEFAULT_NAMESPACE = 'default';
const CONNECT_TIMEOUT_MS = 10 * SECOND;
/** gRPC's own bound is 4 MiB, which the answer to a question for a long history exceeds. */
const CHANNEL = { 'grpc.max_receive_message_length': 128 * MIB };

/** gRPC's numbers; the package that names them is a dependency of the SDK, not ours. */
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
/** What the server says while a workflow is between two runs. */
const WORKFLOW_BUSY = /workflow is (busy|closing)/i;
/**
 * What it says of an update that was in a workflow task whose result it refused, as an event had arrived that a run which
 * continues as new has to take first. The same update is taken in the next task.
 */
const TASK_REFUSED = /unexpected workflow task failure/i;
const BUSY_RETRY_MS = 10;

/**
 * The target that Temporal's own environment configuration names: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, TLS, API
 * key and configuration file.
 * @throws `invalid-config` for files that can't be read, and for a configuration file that means nothing
 */
export function temporalTarget(env: Record<string, string>): TemporalTarget {
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: env });
    return {
      options: { ...connectionOptions, address: connectionOptions.address ?? DEFAULT_ADDRESS },
      namespace: namespace ?? DEFAULT_NAMESPACE,
    };
  } catch (cause) {
    // The lines after the first quote the file, which may hold a key.
    const [reason] = String(cause).split('\n');
    throw new KeepapartError(
      'invalid-config',
      `Temporal's settings (TEMPORAL_…) can't be used: ${reason ?? ''}`,
      {
        cause,
      },
    );
  }
}

/** A server of our own on this machine: neither TLS nor keys, whatever a configuration file says of other servers. */
export function embeddedTarget(address: string, namespace?: string): TemporalTarget {
  return { options: { address }, namespace: namespace ?? DEFAULT_NAMESPACE };
}

/**
 * A client whose calls are repeated as the SDK does by default, except that a busy workflow (one that continues as new
 * under load) is called again after 10 ms instead of a second and more. A repeated call carries the same request id, by
 * which the server knows it within one run; across runs the batcher knows it (see `NumberedSender`).
 */
export async function connectClient({ options, namespace }: TemporalTarget): Promise<Client> {
  const byDefault = defaultGrpcRetryOptions();
  const isBusy = ({ code, details }: { code: number; details: string }) =>
    (code === RESOURCE_EXHAUSTED && WORKFLOW_BUSY.test(details)) ||
    (code === FAILED_PRECONDITION && TASK_REFUSED.test(details));
  const retry = makeGrpcRetryInterceptor({
    retryableDecider: (attempt, status) =>
      isBusy(status)
        ? attempt < 500
        : isRetryableError(status) && byDefault.retryableDecider(attempt, status),
    delayFunction: (attempt, status) =>
      isBusy(status) ? BUSY_RETRY_MS : byDefault.delayFunction(attempt, status),
  });
  const { address, tls, apiKey, metadata } = options;
  try {
    const connection = await Connection.connect({
      address,
      interceptors: [retry],
      channelArgs: CHANNEL,
      connectTimeout: CONNECT_TIMEOUT_MS,
      ...(tls !== undefined && { tls }),
      ...(apiKey !== undefined && { apiKey }),
      ...(metadata !== undefined && { metadata }),
    });
    return new Client({ connection, namespace });
  } catch (cause) {
    throw unreachable(address, cause);
  }
}

/** What whoever wanted to connect is told, with the SDK's own reason. */
export function unreachable(address: string, cause: unknown): KeepapartError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KeepapartError('temporal-unavailable', `no Temporal server answers at ${address}: ${reason}`, {
    cause,
  });
}
