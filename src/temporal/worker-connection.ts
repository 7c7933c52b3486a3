import { NativeConnection } from '@temporalio/worker';
import { unreachable, type TemporalTarget } from './connection';

/**
 * The connection that a worker polls on. Apart from the client's, as the SDK's worker takes most of a second to load,
 * which a process without one needn't wait for.
 */
export async function connectWorker({ options }: TemporalTarget): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(options);
  } catch (cause) {
    throw unreachable(options.address, cause);
  }
}
