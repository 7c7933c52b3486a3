import { z } from 'zod';
import { ANY_RECORD } from '../../edge/records';

/* What the descriptions of several answers share. */

export const count = () =>
  z
    .int()
    .min(0)
    .meta({ examples: [5] });
export const timestamp = () =>
  z.string().meta({ description: 'ISO 8601, UTC', examples: ['2026-11-23T16:52:07.120Z'] });
export const millisecondsSinceEpoch = () => z.number().meta({ description: 'Milliseconds since 1970, UTC' });
export const anyRecord = () => z.unknown().meta(ANY_RECORD);
export const recordId = () =>
  z
    .string()
    .meta({ description: '`<requestId>:<place in the request, from 0>`', examples: ['order-4711:0'] });
export const cursor = () =>
  z
    .string()
    .nullable()
    .meta({ description: 'Pass it as `cursor` to get the next page; null on the last page' });

export const operatorActionFields = { by: z.string(), atMs: millisecondsSinceEpoch() };
export const operatorActionSchema = z.strictObject(operatorActionFields).meta({ id: 'OperatorAction' });

/** Compiles only where the schema takes everything that the answer can be. */
export type Takes<Schema extends z.ZodType, Answer extends z.input<Schema>> = [Schema, Answer];
