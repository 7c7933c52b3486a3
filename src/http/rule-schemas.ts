import { z } from 'zod';
import { anyRecord, count } from './answer-parts';

/* Conflict rules, as they are described in what is sent and in what is answered. */

const pointer = () => z.string().meta({ description: 'JSON Pointer into the record' });

const bound = () => z.union([z.number(), z.string()]).optional();
const selectorSchema = z
  .strictObject({
    at: pointer().optional(),
    equals: anyRecord().optional(),
    in: z.array(anyRecord()).optional(),
    prefix: z.string().optional(),
    atLeast: bound(),
    above: bound(),
    atMost: bound(),
    below: bound(),
  })
  .meta({
    id: 'Selector',
    description:
      'Which records, by the part at the pointer: equals, in, prefix or a range; any that has it without',
  });

const same = z
  .union([pointer(), z.array(pointer())])
  .optional()
  .meta({ description: 'The rule holds only between two records that have the same value there' });

export const conflictRuleSchema = z
  .union([
    z.strictObject({ pair: z.tuple([anyRecord(), anyRecord()]), at: pointer().optional(), same }),
    z.strictObject({ group: z.array(anyRecord()), at: pointer().optional(), same }),
    z.strictObject({ distinct: pointer(), same }),
    z.strictObject({ never: z.strictObject({ left: selectorSchema, right: selectorSchema }), same }),
  ])
  .meta({ id: 'ConflictRule', description: 'Which records never share a batch; see docs/CONFIGURATION.md' });

export const ruleCountsSchema = z.array(
  z.strictObject({ rule: conflictRuleSchema, records: count() }).meta({ id: 'RuleCount' }),
);
