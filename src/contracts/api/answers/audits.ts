import { z } from 'zod';
import type { AuditProgress, AuditResult } from '../../workflow/audit';
import { count, schemaOf, timestamp } from './parts';

const progressSchema = schemaOf<AuditProgress>()(
  z
    .strictObject({
      stage: z.enum(['batches', 'files', 'store']),
      done: count(),
      of: count().nullable().meta({ description: 'Null where it is not known' }),
    })
    .meta({ id: 'AuditProgress' }),
);

const damageSchema = z
  .strictObject({
    title: z.string(),
    guarantee: z
      .string()
      .nullable()
      .meta({ description: 'See docs/AUDIT.md', examples: ['G4'] }),
    count: count(),
    places: z
      .array(
        z.strictObject({
          text: z.string(),
          find: z.string().nullable().meta({ description: 'Pass it as `q` to /v1/find' }),
        }),
      )
      .meta({ description: 'The first twenty' }),
  })
  .meta({ id: 'AuditDamage' });

const resultSchema = schemaOf<AuditResult>()(
  z
    .strictObject({
      clean: z.boolean(),
      worker: z.string().meta({ description: 'Process and host whose files were read' }),
      files: count(),
      saved: count(),
      rolledBack: count(),
      batches: count().meta({ description: 'Closed batches that were compared with their file' }),
      running: count().meta({ description: 'Batches that were running, and so were not compared' }),
      filesLeftOut: count().meta({ description: 'Older files that were not read, as there are too many' }),
      batchesLeftOut: z.boolean().meta({ description: 'Whether Temporal lists more batches than that' }),
      silentBatchers: z.array(z.string()),
      damage: z.array(damageSchema).meta({ description: 'By kind; empty if there is none' }),
    })
    .meta({ id: 'AuditResult' }),
);

export const auditSchema = z
  .strictObject({
    auditId: z.string(),
    by: z.string(),
    state: z.enum(['running', 'completed', 'failed']),
    startedAt: timestamp(),
    closedAt: timestamp().nullable(),
    progress: progressSchema.nullable().meta({ description: 'Null as long as no worker has begun it' }),
    result: resultSchema.nullable().meta({ description: 'Null unless it is completed' }),
    error: z.string().nullable().meta({ description: 'Why it failed, or why its last attempt did' }),
  })
  .meta({ id: 'Audit' });

/** An audit that was started through the API. */
export type AuditView = z.infer<typeof auditSchema>;

export const auditsSchema = z
  .strictObject({ audits: z.array(auditSchema).meta({ description: 'The latest first, at most ten' }) })
  .meta({ id: 'Audits' });
export type AuditsView = z.infer<typeof auditsSchema>;
