import type { z } from 'zod';
import type { ZodOpenApiMediaTypeObject } from 'zod-openapi';
import type { ErrorCode } from '../../domain/errors';

export const JSON_TYPE = 'application/json';

/** What one call takes and answers, for its description. The schemas are those that validate. */
export interface Operation {
  operationId: string;
  /** A few words. */
  summary: string;
  /** What else a caller has to know; CommonMark. */
  description?: string;
  /** One member for each `:name` in the path. */
  params?: z.ZodObject;
  query?: z.ZodObject;
  headers?: z.ZodObject;
  /** Without it the call reads no body. */
  body?: { required: boolean; content: Readonly<Record<string, BodyOfType>> };
  answer: { status: 200 | 202; schema: z.ZodType; headers?: z.ZodObject };
  /** Whether this process answers it by itself, so that nothing can keep it from answering. */
  isLocal?: true;
  /** What it may be refused with, besides the lists below, by its kind. */
  errors?: readonly ErrorCode[];
}

/** A body of one content type. */
export interface BodyOfType extends ZodOpenApiMediaTypeObject {
  schema: z.ZodType;
  /** One that would be taken. */
  example: unknown;
}

/** What any call may be refused with, before anybody looks at what it asks for. */
export const ERRORS_OF_ANY: readonly ErrorCode[] = [
  'malformed-request',
  'unknown-host',
  'request-timeout',
  'header-too-large',
  'too-many-connections',
];

/** What any call under `/v1` may be refused with. */
export const ERRORS_UNDER_V1: readonly ErrorCode[] = ['unauthorized', 'forbidden', 'rate-limited'];

/** What any of them may fail with that isn't answered by this process alone. */
export const ERRORS_OF_OTHERS: readonly ErrorCode[] = ['internal', 'temporal-unavailable'];

/** What any call that changes something may be refused with. */
export const ERRORS_OF_CHANGE: readonly ErrorCode[] = ['cross-origin', 'not-ready'];

/** What any call that reads a body may be refused with. */
export const ERRORS_OF_BODY: readonly ErrorCode[] = [
  'invalid-json',
  'invalid-request',
  'unsupported-media-type',
  'request-too-large',
];
