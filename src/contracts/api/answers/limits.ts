import { z } from 'zod';
import { LIMIT_RANGES, type Limits } from '../../../domain/limits';
import { MAX_PER_SECOND } from '../../../domain/pace/pace-limits';
import { OUTCOME_FORMATS } from '../../../domain/records/outcome';
import type { LimitsAnswer, OverriddenLimits } from '../../workflow/limits-answer';
import { CONFLICT_SCOPE, ON_FAILURE, SAVE_ACTIVITY, type PipelineSettings } from '../../workflow/settings';
import { count, operatorActionFields, schemaOf } from './parts';
import { conflictRuleSchema } from './rules';

/* The limits that can be changed at runtime, and all settings in force. */

function wholeNumber(key: keyof typeof LIMIT_RANGES) {
  const [least, greatest] = LIMIT_RANGES[key];
  return z.int().min(least).max(greatest);
}

const paceLimitSchema = z
  .strictObject({
    at: z.string().max(256).exactOptional().meta({
      description:
        'JSON Pointer: the rate holds for each value there by itself, and not for records without one. Absent: for all records together',
    }),
    perSecond: z.int().min(1).max(MAX_PER_SECOND),
  })
  .meta({ id: 'PaceLimit', description: 'At most this many records start being saved per second' });

/** The schema of each limit. */
export const LIMITS = {
  maxBatchSize: wholeNumber('maxBatchSize'),
  conflicts: z.array(conflictRuleSchema),
  flushIntervalMs: wholeNumber('flushIntervalMs'),
  batchSpacingMs: wholeNumber('batchSpacingMs'),
  maxSavesPerSecond: z.union([z.int().min(0).max(MAX_PER_SECOND), z.array(paceLimitSchema).max(2)]),
  maxInFlight: wholeNumber('maxInFlight'),
  maxAttempts: wholeNumber('maxAttempts'),
  retryIntervalMs: wholeNumber('retryIntervalMs'),
};
const limitsSchema = schemaOf<Limits>()(
  z.strictObject(LIMITS).meta({ id: 'Limits', description: 'docs/CONFIGURATION.md explains each' }),
);

function overriddenTo<Value extends z.ZodType>(value: Value) {
  return z.strictObject({ ...operatorActionFields, value, configured: value }).exactOptional();
}

export const overriddenSchema = schemaOf<OverriddenLimits>()(
  z
    .strictObject({
      maxBatchSize: overriddenTo(LIMITS.maxBatchSize),
      conflicts: overriddenTo(LIMITS.conflicts),
      flushIntervalMs: overriddenTo(LIMITS.flushIntervalMs),
      batchSpacingMs: overriddenTo(LIMITS.batchSpacingMs),
      maxSavesPerSecond: overriddenTo(LIMITS.maxSavesPerSecond),
      maxInFlight: overriddenTo(LIMITS.maxInFlight),
      maxAttempts: overriddenTo(LIMITS.maxAttempts),
      retryIntervalMs: overriddenTo(LIMITS.retryIntervalMs),
    })
    .meta({
      id: 'OverriddenLimits',
      description: 'Limits set at runtime, with the configured values',
    }),
);

export const limitsAnswerSchema = schemaOf<LimitsAnswer>()(
  z
    .strictObject({
      ...operatorActionFields,
      shards: z.array(
        z.strictObject({
          shard: count(),
          batcher: z.string(),
          limits: limitsSchema,
          overridden: overriddenSchema,
        }),
      ),
    })
    .meta({ id: 'LimitsAnswer', description: 'The limits now in force' }),
);

export const settingsSchema = schemaOf<PipelineSettings>()(
  z
    .strictObject({
      ...LIMITS,
      conflictScope: z.enum(Object.values(CONFLICT_SCOPE)),
      apartMs: count(),
      outcomeFormat: z.enum(OUTCOME_FORMATS),
      onFailure: z.enum(Object.values(ON_FAILURE)),
      saveActivity: z.enum(Object.values(SAVE_ACTIVITY)),
      idempotencyWindowMs: count(),
      idempotencyWindowKeys: count(),
    })
    .meta({ id: 'Settings', description: 'The settings in force; docs/CONFIGURATION.md explains each' }),
);
