import type { Config } from '../config';
import { KeepapartError } from '../domain/errors';
import type { S3StoreOptions } from '../store/s3/s3-store';
import { missingPackage } from './missing-package';

const PACKAGE = '@aws-sdk/client-s3';

/**
 * Loads what needs the AWS SDK, which only those install who have STORE=s3.
 * @throws `store-unusable` when it isn't installed, with the command that does it
 */
export async function loadS3<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    if (missingPackage(cause, PACKAGE) === undefined) throw cause;
    throw new KeepapartError(
      'store-unusable',
      `STORE=s3 needs the package ${PACKAGE}, which is not installed: npm install ${PACKAGE}`,
      { cause },
    );
  }
}

/** How to reach the configured bucket, and a readable form of its location. */
export function bucketOptions(config: Config): Omit<S3StoreOptions, 'outDir'> {
  const { s3Bucket, s3Prefix, s3Endpoint, s3PathStyle } = config;
  return {
    bucket: s3Bucket,
    prefix: s3Prefix === '' ? '' : `${s3Prefix}/`,
    region: config.s3Region,
    endpoint: s3Endpoint,
    pathStyle: s3PathStyle === 'auto' ? s3Endpoint !== '' : s3PathStyle === 'on',
    timeoutMs: config.storeTimeoutMs,
    requestsAtOnce: config.storeCalls,
    compression: config.s3Compression,
    where: showBucket(config),
  };
}

/** `s3://bucket/prefix`, and the server if it isn't AWS. */
export function showBucket({ s3Bucket, s3Prefix, s3Endpoint }: Config): string {
  const at = s3Endpoint === '' ? '' : ` at ${s3Endpoint}`;
  return `s3://${s3Bucket}/${s3Prefix}${at}`;
}
