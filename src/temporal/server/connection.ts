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
import { isLoopback } from '../../config';
import { GRPC_STATUS, isRunClosing, type GrpcStatus } from './grpc-status';
import { hostOf, type Proxy, proxyFor, WITHOUT_PROXY } from './proxy';

/** Where Temporal is and how to get in, as the SDK takes it. */
export interface TemporalTarget {
  options: NativeConnectionOptions & { address: string };
  namespace: string;
  /** What stands between, where the environment says so. */
  proxy?: Proxy;
}

const DEFAULT_ADDRESS = 'localhost:7233';
const DEFAULT_NAMESPACE = 'default';
const CONNECT_TIMEOUT_MS = 10 * SECOND;
/** gRPC's own bound is 4 MiB, which the answer to a question for a long history exceeds. */
export const CHANNEL = { 'grpc.max_receive_message_length': 128 * MIB };

/** What the server says while a workflow is between two runs, or has a question waiting while a task of it runs. */
const WORKFLOW_BUSY = /workflow is busy|query buffer is full/i;
const BUSY_RETRY_MS = 10;

/**
 * The target that Temporal's own environment configuration names: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, TLS, API
 * key and configuration file.
 * @throws `invalid-config` for files that can't be read, and for a configuration file that means nothing
 */
export function temporalTarget(env: Record<string, string>): TemporalTarget {
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: env });
    const address = connectionOptions.address ?? DEFAULT_ADDRESS;
    const proxy = proxyFor(address, env);
    return {
      options: { ...connectionOptions, address },
      namespace: namespace ?? DEFAULT_NAMESPACE,
      ...(proxy && { proxy }),
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
 * A client whose calls are repeated as the SDK does by default, except that a busy workflow (several calls at once) is
 * asked again after 10 ms instead of a second and more, and one whose run is about to end by whoever calls (see
 * {@link isRunClosing}). A repeated call carries the same request id, by which the server knows it in the same run.
 */
export async function connectClient({ options, namespace, proxy }: TemporalTarget): Promise<Client> {
  const { address, tls, apiKey, metadata } = options;
  try {
    const connection = await Connection.connect({
      address,
      interceptors: [retries()],
      channelArgs: { ...CHANNEL, ...(isLoopback(hostOf(address)) && WITHOUT_PROXY) },
      connectTimeout: CONNECT_TIMEOUT_MS,
      ...(tls !== undefined && { tls }),
      ...(apiKey !== undefined && { apiKey }),
      ...(metadata !== undefined && { metadata }),
    });
    return new Client({ connection, namespace });
  } catch (cause) {
    throw unreachable(address, cause, proxy);
  }
}

/** Repeats calls as {@link connectClient} says. */
export function retries(): ReturnType<typeof makeGrpcRetryInterceptor> {
  const byDefault = defaultGrpcRetryOptions();
  const isBusy = ({ code, details }: GrpcStatus) =>
    code === GRPC_STATUS.resourceExhausted && WORKFLOW_BUSY.test(details);
  return makeGrpcRetryInterceptor({
    retryableDecider: (attempt, status) =>
      isRetryableError(status) &&
      !isRunClosing(status) &&
      (isBusy(status) ? attempt < 500 : byDefault.retryableDecider(attempt, status)),
    delayFunction: (attempt, status) =>
      isBusy(status) ? BUSY_RETRY_MS : byDefault.delayFunction(attempt, status),
  });
}

/** What whoever wanted to connect is told, with the SDK's own reason. */
export function unreachable(address: string, cause: unknown, proxy?: Proxy): KeepapartError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const through = proxy && `, through the proxy ${proxy.host} that ${proxy.variable} names`;
  return new KeepapartError(
    'temporal-unavailable',
    `no Temporal server answers at ${address}${through ?? ''}: ${reason}`,
    { cause },
  );
}
