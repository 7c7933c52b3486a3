import express from 'express';
import type { Request, RequestHandler, Response } from 'express';
import { KeepapartError } from '../domain/errors';
import type { JsonValue } from '../domain/json';
import { decodeUtf8, parseJsonText } from '../edge/json-text';
import { contentTypeOf } from './content-type';

export interface JsonBodyOptions {
  /** After decompression. */
  maxBytes: number;
  maxDepth: number;
  /** Content types that are taken. Default: `application/json` alone. */
  types?: readonly string[];
}

/**
 * Reads and parses one request's body; `undefined` when there is none at all. Nothing is read before it is called, so
 * whoever may not send anything is refused first. Throws `unsupported-media-type`, `request-too-large`,
 * `invalid-json` and what `parseJsonText` throws.
 */
export type JsonBodyReader = (req: Request, res: Response) => Promise<JsonValue | undefined>;

export function jsonBodyReader(options: JsonBodyOptions): JsonBodyReader {
  const readRaw: RequestHandler = express.raw({ type: () => true, limit: options.maxBytes, inflate: true });
  return async (req, res) => {
    if (hasNoBody(req)) return undefined;
    requireUtf8Json(req, options.types ?? ['application/json']);
    await new Promise<void>((resolve, reject) => {
      readRaw(req, res, (error?: unknown) => (error ? reject(toCatalogued(error, options)) : resolve()));
    });
    return parseJsonText(decodeUtf8(req.body as Buffer), { maxDepth: options.maxDepth });
  };
}

function hasNoBody(req: Request): boolean {
  const { 'transfer-encoding': transferEncoding, 'content-length': contentLength = '0' } = req.headers;
  return transferEncoding === undefined && Number(contentLength) === 0;
}

function requireUtf8Json(req: Request, types: readonly string[]): void {
  if (!types.includes(contentTypeOf(req) ?? ''))
    throw new KeepapartError('unsupported-media-type', `Send the body as ${types.join(' or ')}`);
}

/** The reader's own errors tell their `type`; every one is about what the client sent. */
function toCatalogued(error: unknown, options: JsonBodyOptions): KeepapartError {
  const type = error instanceof Object && 'type' in error ? error.type : undefined;
  if (type === 'entity.too.large')
    return new KeepapartError('request-too-large', `The body is larger than ${options.maxBytes} bytes`);
  if (type === 'encoding.unsupported')
    return new KeepapartError('unsupported-media-type', 'The content encoding is none of gzip, deflate, br');
  return new KeepapartError('invalid-json', 'The body could not be read to its end, or not be decompressed');
}
