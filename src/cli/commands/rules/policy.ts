import { z } from 'zod';
import { SETTINGS } from '../../../config';
import type { ConflictRule } from '../../../domain/rules';
import { MIB } from '../../../domain/duration';
import { isKeepapartError } from '../../../domain/errors';
import { describeReceived } from '../../../domain/field-problems';
import { canonicalJson, isObject, type JsonValue } from '../../../domain/json';
import { expectedInteger, LIMIT_RANGES } from '../../../domain/limits';
import { jsonPointer, validate } from '../../../edge/problems';
import { recordListSchema } from '../../../edge/records';
import { readDocument, unusable } from './read-document';
import { problemsOf, wrongRules } from './read-rules';

/** Two records that are expected to be together, or not to. */
export type RecordPair = [JsonValue, JsonValue];

/** What may be expected of a cut; at least one of them. Records are named by their values. */
export interface Expectations {
  /** Exactly these batches, in this order; the order of records in a batch doesn't matter. */
  batches?: JsonValue[][];
  atMostBatches?: number;
  /** Of each pair, some batch has both. */
  together?: RecordPair[];
  /** Of no pair a batch has both. */
  apart?: RecordPair[];
}

export interface PolicyTest {
  name: string;
  /** Oldest first. */
  records: JsonValue[];
  expect: Expectations;
}

/** Rules with their tests. */
export interface Policy {
  rules: ConflictRule[];
  maxBatchSize: number;
  tests: PolicyTest[];
}

/** No limits of a system, but such that nobody waits for a test for minutes. */
const MAX_RECORDS = 10_000;
const records = recordListSchema({
  maxRecordBytes: MIB,
  maxRequestBytes: Infinity,
  maxRequestRecords: MAX_RECORDS,
});

function wholeNumber(least: number, most: number) {
  const error = expectedInteger(least, most);
  return z.int({ error }).min(least, { error }).max(most, { error });
}

const json = z.custom<JsonValue>();
const pairs = z
  .array(z.tuple([json, json], { error: 'two records' }), { error: 'a list of pairs of records' })
  .min(1, { error: 'at least one pair of records' });

const expectations = z
  .strictObject(
    {
      batches: z
        .array(z.array(json, { error: 'a batch: a list of records' }), { error: 'a list of batches' })
        .exactOptional(),
      atMostBatches: wholeNumber(1, MAX_RECORDS).exactOptional(),
      together: pairs.exactOptional(),
      apart: pairs.exactOptional(),
    },
    { error: 'an object with what is expected' },
  )
  .refine((expected) => Object.keys(expected).length > 0, {
    error: 'at least one of batches, atMostBatches, together, apart',
  });

const test = z
  .strictObject(
    {
      name: z.string({ error: 'a name' }).min(1, { error: 'a name' }),
      records,
      expect: expectations,
    },
    { error: 'a test: an object with name, records and expect' },
  )
  .superRefine(({ records, expect }, context) => {
    for (const key of ['together', 'apart'] as const) {
      for (const [index, pair] of (expect[key] ?? []).entries()) {
        if (hasBoth(records, pair)) continue;
        context.addIssue({
          code: 'custom',
          path: ['expect', key, index],
          message: 'two of the records of this test',
          params: { received: describeReceived(pair) },
        });
      }
    }
  });

const policy = z.strictObject(
  {
    // Checked before, so that each wrong rule is shown.
    rules: z.custom<ConflictRule[]>(),
    maxBatchSize: wholeNumber(...LIMIT_RANGES.maxBatchSize).default(SETTINGS.maxBatchSize.default),
    tests: z
      .array(test, { error: 'a list of tests' })
      .min(1, { error: 'at least one test' })
      .superRefine((tests, context) => {
        for (const [index, { name }] of tests.entries()) {
          if (tests.findIndex((earlier) => earlier.name === name) === index) continue;
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: 'a name that no earlier test has',
            params: { received: describeReceived(name) },
          });
        }
      }),
  },
  { error: 'an object with rules and tests' },
);

/**
 * Rules with their tests, from a file in YAML or JSON. Throws `invalid-config` with everything that makes it unusable, each
 * at its JSON Pointer.
 */
export async function readPolicy(file: string): Promise<Policy> {
  const document = await readDocument(file);
  if (isObject(document)) {
    const written = { rules: document['rules'], at: '/rules' };
    const problems = problemsOf(written);
    if (problems.length > 0) throw wrongRules(file, written, problems);
  }
  try {
    return validate<Policy>(policy, document, '', (path) => jsonPointer(path) || 'the file');
  } catch (error) {
    if (!isKeepapartError(error)) throw error;
    throw unusable(file, error.problems);
  }
}

/** Whether two of some records are equal to those of a pair. */
export function hasBoth(records: readonly JsonValue[], pair: RecordPair): boolean {
  const texts = records.map(canonicalJson);
  const [a, b] = pair.map(canonicalJson) as [string, string];
  const first = texts.indexOf(a);
  return first !== -1 && texts.indexOf(b, a === b ? first + 1 : 0) !== -1;
}
