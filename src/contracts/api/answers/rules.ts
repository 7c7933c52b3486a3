import { z } from 'zod';
import type { ConflictRule } from '../../../domain/rules';
import { anyRecord, count, schemaOf } from './parts';

/* Conflict rules, in requests as well as in answers. */

/** RFC 6901: "~" only as ~0 or ~1. */
const POINTER = /^(\/([^~/]|~[01])*)*$/;

const pointer = () => z.string().regex(POINTER).meta({ description: 'JSON Pointer into the record' });

const DIFFERENT = { override: { uniqueItems: true } };

/** All of these conditions exclude each other, and so do those at one end of a range. */
const EXCLUSIVE = [
  ...[
    ['equals', 'in'],
    ['equals', 'prefix'],
    ['in', 'prefix'],
  ],
  ...['atLeast', 'above', 'atMost', 'below'].flatMap((bound) =>
    ['equals', 'in', 'prefix'].map((condition) => [bound, condition]),
  ),
  ...[
    ['atLeast', 'above'],
    ['atMost', 'below'],
  ],
];

const bound = () => z.union([z.number(), z.string()]).exactOptional();
const selectorSchema = z
  .strictObject({
    at: pointer().exactOptional(),
    equals: anyRecord().exactOptional(),
    in: z.array(anyRecord()).min(1).meta(DIFFERENT).exactOptional(),
    prefix: z.string().min(1).exactOptional(),
    atLeast: bound(),
    above: bound(),
    atMost: bound(),
    below: bound(),
  })
  .meta({
    id: 'Selector',
    description:
      'Selects records by the part at the pointer: equals, in, prefix or a range; without a condition, every record that has the part',
    override: { minProperties: 1, not: { anyOf: EXCLUSIVE.map((required) => ({ required })) } },
  });

const same = z
  .union([pointer(), z.array(pointer()).min(1).meta(DIFFERENT)])
  .exactOptional()
  .meta({ description: 'The rule applies only to two records with the same value there' });

export const conflictRuleSchema = schemaOf<ConflictRule>()(
  z
    .union([
      z.strictObject({
        pair: z.tuple([anyRecord(), anyRecord()]).meta(DIFFERENT),
        at: pointer().exactOptional(),
        same,
      }),
      z.strictObject({
        group: z.array(anyRecord()).min(2).meta(DIFFERENT),
        at: pointer().exactOptional(),
        same,
      }),
      z.strictObject({ distinct: pointer(), same }),
      z.strictObject({ alike: pointer(), same }),
      z.strictObject({ never: z.strictObject({ left: selectorSchema, right: selectorSchema }), same }),
    ])
    .meta({
      id: 'ConflictRule',
      description:
        'Which records never share a batch; see docs/CONFIGURATION.md. A rule that can never match, or says the same as ' +
        'another one, is refused.',
    }),
);

const ruleCountSchema = z
  .strictObject({ rule: conflictRuleSchema, records: count() })
  .meta({ id: 'RuleCount' });
/** How many records a rule kept out or deferred. */
export type RuleCountView = z.infer<typeof ruleCountSchema>;

export const ruleCountsSchema = z.array(ruleCountSchema);
