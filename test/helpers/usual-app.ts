import path from 'node:path';
import type { RequestListener } from 'node:http';
import pino from 'pino';
import type { BatcherClient } from '../../src/contracts/batcher-client';
import { createHttpApi } from '../../src/http/app';
import type { ApiKey } from '../../src/http/deps';

/** The HTTP API as an app with usual limits, which logs nothing. Without API keys, anybody may do everything. */
export function usualApp(batcher: BatcherClient, apiKeys: readonly ApiKey[] = []): RequestListener {
  return createHttpApi({
    batcher,
    limits: { maxRecordBytes: 65_536, maxRequestBytes: 1_048_576, maxRequestRecords: 10_000 },
    apiKeys,
    version: '1.2.3',
    docsAssets: path.resolve('dist/swagger-ui'),
    uiAssets: path.resolve('dist/ui'),
    logger: pino({ level: 'silent' }),
    isDraining: () => false,
  }).handle;
}
