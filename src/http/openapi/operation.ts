import type { z } from 'zod';
import type { ZodOpenApiMediaTypeObject } from 'zod-openapi';
import type { ErrorCode } from '../../domain/errors';

export const JSON_TYPE = 'application/json';
export const EVENT_STREAM_TYPE = 'text/event-stream';

/**
 * What one call takes and answers, for its description. The schemas of what it takes are those that validate it (limits
 * are validated by `problemsOfLimitsPatch`, which workflows use as well); the types of answers are inferred from theirs.
 */
export interface Operation {
  operationId: string;
  /** A few words. */
  summary: string;
  /** Further information for callers; CommonMark. */
  description?: string;
  /** One member for each `:name` in the path. */
  params?: z.ZodObject;
  query?: z.ZodObject;
  headers?: z.ZodObject;
  /** If absent, the call reads no body. */
  body?: { required: boolean; content: Readonly<Record<string, BodyOfType>> };
  answer: {
    status: 200 | 202;
    schema: z.ZodType;
    headers?: z.ZodObject;
    /** Default: JSON. For events, the schema describes one event. */
    type?: typeof EVENT_STREAM_TYPE;
  };
  /** Set if this process answers without Temporal, so that nothing can prevent an answer. */
  isLocal?: true;
  /** Errors of this call, in addition to the lists below for its kind. */
  errors?: readonly ErrorCode[];
}

/** A body of one content type. */
export interface BodyOfType extends ZodOpenApiMediaTypeObject {
  schema: z.ZodType;
  /** A valid example. */
  example: unknown;
}

/** Errors of any call, before its content is considered. */
export const ERRORS_OF_ANY: readonly ErrorCode[] = [
  'malformed-request',
  'unknown-host',
  'request-timeout',
  'header-too-large',
  'too-many-connections',
];

/** Errors of any call under `/v1`. */
export const ERRORS_UNDER_V1: readonly ErrorCode[] = ['unauthorized', 'forbidden', 'rate-limited'];

/** Errors of any call under `/v1` that needs Temporal. */
export const ERRORS_OF_OTHERS: readonly ErrorCode[] = [
  'internal',
  'temporal-unavailable',
  'encryption-key-missing',
];

/** Errors of any call that changes something. */
export const ERRORS_OF_CHANGE: readonly ErrorCode[] = ['cross-origin', 'not-ready'];

/** Errors of any call that reads a body. */
export const ERRORS_OF_BODY: readonly ErrorCode[] = [
  'invalid-json',
  'invalid-request',
  'unsupported-media-type',
  'request-too-large',
];
