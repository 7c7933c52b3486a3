import { Metadata, status as STATUS, type InterceptingListener, type StatusObject } from '@grpc/grpc-js';
import { retries } from '../../src/temporal/server/connection';

type NextCall = Parameters<ReturnType<typeof retries>>[1];
const BUSY = { code: STATUS.RESOURCE_EXHAUSTED, details: 'workflow is busy', metadata: new Metadata() };

/** Starts a call whose attempts do this in turn, and resolves with the status that the caller gets. */
function statusOf(...attempts: ((listener: InterceptingListener) => void)[]): Promise<StatusObject> {
  let made = 0;
  const nextCall = (() => {
    const attempt = attempts[made++]!;
    if (attempt === CLOSED) throw new Error('Channel has been shut down');
    const nothing = () => undefined;
    return {
      start: (_: Metadata, listener: InterceptingListener) => {
        setImmediate(() => {
          listener.onReceiveMessage(undefined);
          attempt(listener);
        });
      },
      ...{ sendMessage: nothing, sendMessageWithContext: nothing, startRead: nothing, halfClose: nothing },
      cancelWithStatus: nothing,
      getPeer: () => 'peer',
    };
  }) as unknown as NextCall;
  const call = retries()({ method_definition: {} } as never, nextCall);
  return new Promise((resolve) => {
    call.start(new Metadata(), {
      onReceiveMetadata: () => undefined,
      onReceiveMessage: () => undefined,
      onReceiveStatus: resolve,
    });
    call.sendMessage({});
    call.halfClose();
  });
}
const busy = (listener: InterceptingListener): void => listener.onReceiveStatus(BUSY);
const CLOSED = () => undefined;

test('A call that is repeated after its connection was closed fails as cancelled, and ends no process.', async () => {
  expect(await statusOf(busy, CLOSED)).toMatchObject({ code: 1, details: 'Channel has been shut down' });
});

test('A busy workflow is asked again until it answers.', async () => {
  const done = { code: STATUS.OK, details: '', metadata: new Metadata() };
  expect(await statusOf(busy, busy, (listener) => listener.onReceiveStatus(done))).toMatchObject({ code: 0 });
});
