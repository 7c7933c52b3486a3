import { NativeConnection } from '@temporalio/worker';
import { isLoopback } from '../../config';
import { unreachable, type TemporalTarget } from '../server/connection';
import { hostOf } from '../server/proxy';

/**
 * The connection that a worker polls on. Apart from the client's, as the SDK's worker takes most of a second to load,
 * which a process without one needn't wait for.
 */
export async function connectWorker({ options }: TemporalTarget): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect({
      ...options,
      // The SDK would compress all that the two tell each other, which saves nothing where no network is between them.
      ...(isLoopback(hostOf(options.address)) && { grpcCompression: { codec: 'none' } }),
    });
  } catch (cause) {
    throw unreachable(options.address, cause);
  }
}
