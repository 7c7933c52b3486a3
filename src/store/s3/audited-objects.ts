import { MINUTE } from '../../domain/duration';
import { KeepapartError } from '../../domain/errors';
import {
  jsonOutcomeLine,
  OUTCOME_FORMATS,
  outcomeFileContent,
  type SettledRecord,
} from '../../domain/records/outcome';
import { createBatchObjects, type Compression } from './batch-objects';
import { createBucket, type BucketOptions } from './bucket';
import { describeS3Error } from './s3-errors';

/** A batch that is closed in S3, and so what its file may be: in either format. */
export interface AuditedObject {
  file: string;
  contents: readonly string[];
  /** Whether it was closed within the last minute: its file may be about to come. */
  lately: boolean;
}

/** How many objects are read at once. */
const READS_AT_ONCE = 16;

/**
 * Every batch that is closed in S3. Changes nothing there.
 * @throws `store-unusable` when it can't be read: an audit that looked at nothing must not pass
 */
export async function* auditedObjects({
  where,
  compression,
  ...options
}: BucketOptions & { where: string; compression: Compression }): AsyncGenerator<AuditedObject> {
  const bucket = createBucket(options);
  try {
    for await (const { name, content, modifiedAtMs } of createBatchObjects(bucket, compression).all(
      READS_AT_ONCE,
    )) {
      const lately = Date.now() - modifiedAtMs < MINUTE;
      yield { file: `${name}.log`, contents: asFile(content), lately };
    }
  } catch (cause) {
    const detail = `S3 (${where}): ${describeS3Error(cause)}`;
    throw new KeepapartError('store-unusable', detail, { cause });
  } finally {
    bucket.close();
  }
}

/** The batch file with the outcomes of an object, in each format; none where the object isn't ours. */
function asFile(content: string): string[] {
  const lines = content.split('\n').slice(0, -1);
  const settled = lines.flatMap((line): SettledRecord[] => {
    const told = jsonOutcomeLine(line);
    if (told === undefined) return [];
    const { error, at, ...rest } = told;
    return [{ ...rest, ...(error !== null && { error }), atMs: Date.parse(at) }];
  });
  if (settled.length !== lines.length) return [];
  return OUTCOME_FORMATS.map((format) => outcomeFileContent(settled, format));
}
