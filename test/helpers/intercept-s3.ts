import { S3Client } from '@aws-sdk/client-s3';

type Send = (this: S3Client, command: { input: object }, ...rest: unknown[]) => Promise<unknown>;

/** A request as it is about to be sent. */
export interface S3Call {
  /** Such as `PutObjectCommand`. */
  name: string;
  key: string;
  /** What is asked for, which the hook may change. */
  input: Record<string, unknown>;
}

/** Returned by a hook: the request is sent, and its answer lost with the connection. */
export const ANSWER_LOST = Symbol('answer lost');

/**
 * Calls `before` ahead of every request to S3; what it throws, the caller gets. For what can't be had on demand: a kill,
 * a broken connection or another worker between two requests.
 * @returns a function that puts the original back
 */
export function interceptS3(before: (call: S3Call) => unknown): () => void {
  const prototype = S3Client.prototype as unknown as { send: Send };
  const original = prototype.send;
  prototype.send = async function (command, ...rest) {
    const input = command.input as Record<string, unknown>;
    const key = String(input['Key'] ?? input['Prefix']);
    const lost = (await before({ name: command.constructor.name, key, input })) === ANSWER_LOST;
    const answer = await original.call(this, command, ...rest);
    if (lost) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    return answer;
  };
  return () => (prototype.send = original);
}
