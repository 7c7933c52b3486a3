import { z } from 'zod';
import type { JsonValue } from '../../../domain/json';
import type { OperatorAction } from '../../workflow/batcher-status';

/* What the schemas of several answers share. */

/** The JSON Schema of a record, because JSON Schema can't express our own checks. */
export const ANY_RECORD = {
  type: ['string', 'number', 'boolean', 'object', 'null'],
  description: 'Any JSON value except an array',
} as const;

export const count = () =>
  z
    .int()
    .min(0)
    .meta({ examples: [5] });
export const timestamp = () =>
  z.string().meta({ description: 'ISO 8601, UTC', examples: ['2026-11-23T16:52:07.120Z'] });
export const millisecondsSinceEpoch = () => z.number().meta({ description: 'Milliseconds since 1970, UTC' });
export const anyRecord = () => z.custom<JsonValue>().meta(ANY_RECORD);
export const recordId = () =>
  z
    .string()
    .meta({ description: '`<requestId>:<place in the request, from 0>`', examples: ['order-4711:0'] });
export const cursor = () =>
  z
    .string()
    .nullable()
    .meta({ description: 'Pass it as `cursor` to get the next page; null on the last page' });

/**
 * The schema of a type that is declared elsewhere, in the domain or for workflows, whose code must not load zod. Compiles
 * only where the two agree.
 */
export const schemaOf =
  <Type>() =>
  <Schema extends z.ZodType<Type>>(
    schema: Schema & (Type extends z.output<Schema> ? unknown : never),
  ): z.ZodType<Type> =>
    schema;

export const operatorActionFields = { by: z.string(), atMs: millisecondsSinceEpoch() };
export const operatorActionSchema = schemaOf<OperatorAction>()(
  z.strictObject(operatorActionFields).meta({ id: 'OperatorAction' }),
);
