import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createSlots } from '../../concurrency/slots';
import { KeepapartError } from '../../domain/errors';
import { isMissing, statusOf } from './s3-errors';

export interface BucketOptions {
  bucket: string;
  /** What all keys begin with, up to a slash; empty for none. */
  prefix: string;
  /** Empty: as the AWS SDK finds it, in `AWS_REGION` among others. */
  region: string;
  /** Empty: that of AWS, or as the AWS SDK finds it, in `AWS_ENDPOINT_URL_S3` among others. */
  endpoint: string;
  /** Whether the bucket stands in the path, and not in the host name. */
  pathStyle: boolean;
  /** Longest time for one request, repeated ones of the SDK included. */
  timeoutMs: number;
  /** Most requests at once. */
  requestsAtOnce: number;
}

/** An object in a listing. */
export interface Listed {
  /** Without the prefix of all keys. */
  key: string;
  modifiedAtMs: number;
}

/**
 * Objects below a prefix of one bucket. Every call is one request, or one per thousand objects, which the SDK repeats
 * twice where that makes sense. Keys are without the prefix. Rejects with errors of the SDK (`s3-errors.ts`), and with
 * `store-away` where no answer came in time.
 */
export type Bucket = ReturnType<typeof createBucket>;

/** How often a conditional write is repeated that met another one in the middle (409), and after how long. */
const [CONFLICT_TRIES, CONFLICT_PAUSE_MS] = [5, 100];

/** Credentials are those that the AWS SDK finds: environment, profile, web identity, or role of the machine. */
export function createBucket({ bucket, prefix, timeoutMs, requestsAtOnce, ...options }: BucketOptions) {
  const agent = { keepAlive: true, maxSockets: requestsAtOnce };
  const client = new S3Client({
    ...(options.region !== '' && { region: options.region }),
    ...(options.endpoint !== '' && { endpoint: options.endpoint }),
    forcePathStyle: options.pathStyle,
    requestHandler: { httpAgent: agent, httpsAgent: agent },
  });
  const inTurn = createSlots(requestsAtOnce);

  /** One request in time; the time that it waits for others doesn't count. */
  function request<T>(send: (options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    return inTurn(async () => {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), timeoutMs);
      try {
        return await send({ abortSignal: abort.signal });
      } catch (cause) {
        if (!abort.signal.aborted) throw cause;
        const detail = `no answer within ${timeoutMs} ms (STORE_TIMEOUT_MS)`;
        throw new KeepapartError('store-away', `S3: ${detail}`, { cause });
      } finally {
        clearTimeout(timer);
      }
    });
  }

  async function put(key: string, body: Uint8Array, type: string, ifAbsent = false): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: prefix + key,
      Body: body,
      ContentType: type,
      ...(ifAbsent && { IfNoneMatch: '*' }),
    });
    await request((options) => client.send(command, options));
  }

  return {
    put: (key: string, body: Uint8Array, type: string): Promise<void> => put(key, body, type),

    /** Writes an object only where there is none: at most one of all writers ever does. Returns whether this one did. */
    async create(key: string, body: Uint8Array, type: string): Promise<boolean> {
      for (let tries = 1; ; tries++) {
        try {
          await put(key, body, type, true);
          return true;
        } catch (error) {
          if (statusOf(error) === 412) return false;
          if (statusOf(error) !== 409 || tries === CONFLICT_TRIES) throw error;
        }
        await sleep(CONFLICT_PAUSE_MS);
      }
    },

    /** The whole content; undefined when there is no such object. */
    async read(key: string): Promise<Uint8Array | undefined> {
      const command = new GetObjectCommand({ Bucket: bucket, Key: prefix + key });
      try {
        // The content is part of the request: it must not come without end either.
        return await request(async (options) =>
          (await client.send(command, options)).Body?.transformToByteArray(),
        );
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },

    async exists(key: string): Promise<boolean> {
      const command = new HeadObjectCommand({ Bucket: bucket, Key: prefix + key });
      try {
        await request((options) => client.send(command, options));
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    },

    /** Objects whose keys begin so, by key. */
    async *list(beginning: string): AsyncGenerator<Listed> {
      for (let token: string | undefined; ;) {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix + beginning,
          ContinuationToken: token,
        });
        const page = await request((options) => client.send(command, options));
        for (const { Key, LastModified } of page.Contents ?? [])
          if (Key !== undefined)
            yield { key: Key.slice(prefix.length), modifiedAtMs: LastModified?.getTime() ?? 0 };
        token = page.NextContinuationToken;
        if (token === undefined) return;
      }
    },

    /** Removes an object; that there is none is fine. */
    async remove(key: string): Promise<void> {
      const command = new DeleteObjectCommand({ Bucket: bucket, Key: prefix + key });
      await request((options) => client.send(command, options));
    },

    close: (): void => client.destroy(),
  };
}
