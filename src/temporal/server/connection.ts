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
import { dataConverterFor } from '../codec/data-converter';
import type { KeyRing } from '../codec/key-ring';
import { GRPC_STATUS, isRunClosing, type GrpcStatus } from './grpc-status';
import { hostOf, type Proxy, proxyFor, WITHOUT_PROXY } from './proxy';

/** Address of the Temporal server and how to authenticate, in the form the SDK expects. */
export interface TemporalTarget {
  options: NativeConnectionOptions & { address: string };
  namespace: string;
  /** The proxy in between, if the environment names one. */
  proxy?: Proxy;
}

const DEFAULT_ADDRESS = 'localhost:7233';
const DEFAULT_NAMESPACE = 'default';
const CONNECT_TIMEOUT_MS = 10 * SECOND;
/** gRPC's default is 4 MiB, which the query result of a long history exceeds. */
export const CHANNEL = { 'grpc.max_receive_message_length': 128 * MIB };

/** The server's message while a workflow is between two runs, or while a query waits for a running workflow task. */
const WORKFLOW_BUSY = /workflow is busy|query buffer is full/i;
const BUSY_RETRY_MS = 10;

/**
 * The target in Temporal's own environment configuration: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, TLS, API key and
 * configuration file.
 * @throws `invalid-config` if a file can't be read or parsed
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
    // The lines after the first quote the file, which may contain a key.
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

/** Our own server on this machine: no TLS and no keys, even if a configuration file has them for other servers. */
export function embeddedTarget(address: string, namespace?: string): TemporalTarget {
  return { options: { address }, namespace: namespace ?? DEFAULT_NAMESPACE };
}

/**
 * A client that retries calls as the SDK does by default, with two exceptions: a busy workflow (several concurrent
 * calls) is retried after 10 ms instead of a second or more, and a run that is about to end is retried by the caller
 * (see {@link isRunClosing}). A retried call has the same request id, so the server deduplicates it within a run.
 * @param keys encrypt what it sends, and decrypt what it reads
 * @throws `temporal-unavailable` if no server answers within ten seconds
 */
export async function connectClient(
  { options, namespace, proxy }: TemporalTarget,
  keys?: KeyRing,
): Promise<Client> {
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
    return new Client({ connection, namespace, dataConverter: dataConverterFor(keys, namespace) });
  } catch (cause) {
    throw unreachable(address, cause, proxy);
  }
}

type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>;
type NextCall = Parameters<Interceptor>[1];

/**
 * Repeats calls as {@link connectClient} says. When the connection is closed while a call waits to be repeated, the call
 * fails as cancelled; with the SDK's interceptor alone, the repetition throws from a timer, which ends the process.
 */
export function retries(): Interceptor {
  const byDefault = defaultGrpcRetryOptions();
  const isBusy = ({ code, details }: GrpcStatus) =>
    code === GRPC_STATUS.resourceExhausted && WORKFLOW_BUSY.test(details);
  const retry = makeGrpcRetryInterceptor({
    retryableDecider: (attempt, status) =>
      isRetryableError(status) &&
      !isRunClosing(status) &&
      (isBusy(status) ? attempt < 500 : byDefault.retryableDecider(attempt, status)),
    delayFunction: (attempt, status) =>
      isBusy(status) ? BUSY_RETRY_MS : byDefault.delayFunction(attempt, status),
  });
  return (options, nextCall) => retry(options, repeatable(nextCall));
}

function repeatable(nextCall: NextCall): NextCall {
  let isFirst = true;
  return (options) => {
    // What the first attempt throws goes to the caller.
    if (isFirst) {
      isFirst = false;
      return nextCall(options);
    }
    try {
      return nextCall(options);
    } catch (error) {
      return cancelledCall(error instanceof Error ? error.message : String(error));
    }
  };
}

/** A call that fails as soon as it is started. */
function cancelledCall(details: string): ReturnType<NextCall> {
  const nothing = () => undefined;
  return {
    start(metadata, listener) {
      // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the package with the enum is not ours
      setImmediate(() => listener?.onReceiveStatus?.({ code: GRPC_STATUS.cancelled, details, metadata }));
    },
    ...{ sendMessage: nothing, sendMessageWithContext: nothing, startRead: nothing, halfClose: nothing },
    cancelWithStatus: nothing,
    getPeer: () => 'none',
    getAuthContext: () => null,
  };
}

/** The error for a failed connection, with the SDK's reason. */
export function unreachable(address: string, cause: unknown, proxy?: Proxy): KeepapartError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const through = proxy && `, through the proxy ${proxy.host} that ${proxy.variable} names`;
  return new KeepapartError(
    'temporal-unavailable',
    `no Temporal server answers at ${address}${through ?? ''}: ${reason}`,
    { cause },
  );
}
