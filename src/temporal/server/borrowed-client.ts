import { Client, Connection } from '@temporalio/client';
import { KeepapartError } from '../../domain/errors';
import { dataConverterFor } from '../codec/data-converter';
import type { KeyRing } from '../codec/key-ring';
import { CHANNEL, retries } from './connection';

/** A client of keepapart's own that goes where another one goes. */
export interface BorrowedClient {
  client: Client;
  /** Closes what was opened for it; the other client's connection stays open. */
  close(): Promise<void>;
}

/**
 * A client for keepapart made of one that an app has: the same server, namespace, identity and credentials, on a channel
 * of its own, as calls to a busy batcher are repeated sooner than the SDK does (see `connectClient`). The interceptors of
 * the app's connection still see every call. Where the app's client runs on a worker's connection, that one is used.
 * What keepapart sends goes through the client's payload codecs too, not through its payload converter.
 * @param keys encrypt what goes to Temporal, before the client's codecs
 * @throws `invalid-config` for a client of another copy of the SDK
 */
export function borrowClient(from: Client, keys?: KeyRing): BorrowedClient {
  if (!(from instanceof Client)) {
    const problem = {
      field: 'client',
      expected: "a Client of the same @temporalio/client that keepapart has: install keepapart's version",
      received: 'something else, or a Client of another copy of the SDK',
    };
    throw new KeepapartError('invalid-config', `client is not a Client of keepapart's @temporalio/client`, {
      problems: [problem],
    });
  }
  const { namespace, identity, loadedDataConverter } = from.options;
  const dataConverter = dataConverterFor(keys, namespace, loadedDataConverter.payloadCodecs);
  const theirs = from.connection;
  if (!(theirs instanceof Connection))
    return {
      client: new Client({ connection: theirs, namespace, identity, dataConverter }),
      close: () => Promise.resolve(),
    };
  const { apiKey, connectTimeoutMs, interceptors, channelArgs, ...options } = apiKeyApart(theirs.options);
  const connection = Connection.lazy({
    ...options,
    channelArgs: { ...CHANNEL, ...channelArgs },
    connectTimeout: connectTimeoutMs,
    // Theirs around ours, which has repeated a call before they hear that it failed.
    interceptors: [...interceptors, retries()],
    plugins: [],
  });
  if (apiKey !== undefined) connection.setApiKey(apiKey);
  const client = new Client({ connection, namespace, identity, dataConverter });
  return { client, close: () => connection.close() };
}

type Options = Connection['options'];

/** The SDK keeps the key among the options, though its types don't say so, and refuses it beside credentials. */
function apiKeyApart(options: Options & { apiKey?: string | (() => string) }) {
  return options;
}
