import { NativeConnection } from '@temporalio/worker';
import { isLoopback } from '../../config';
import { unreachable, type TemporalTarget } from '../server/connection';
import { hostOf } from '../server/proxy';

/**
 * The connection that a worker polls on. Separate from the client's, because the SDK's worker module takes most of a second
 * to load, and a process without a worker shouldn't wait for it.
 */
export async function connectWorker({ options }: TemporalTarget): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect({
      ...options,
      // The SDK would compress all messages, which saves nothing without a network in between.
      ...(isLoopback(hostOf(options.address)) && { grpcCompression: { codec: 'none' } }),
    });
  } catch (cause) {
    throw unreachable(options.address, cause);
  }
}
