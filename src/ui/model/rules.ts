import { conflictingRules, parseConflictRules, type ConflictRule, type Selector } from '../../domain/rules';
import type { JsonValue } from '../../domain/json';
import { partition } from '../../domain/partition';
import { shortJson } from '../../domain/format';

/** A JSON value that somebody typed. What is no JSON is taken as a text, since `A-17` needs no quotes to be meant. */
export function typedValue(text: string): JsonValue | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  try {
    return JSON.parse(trimmed) as JsonValue;
  } catch {
    return /^[[{"]/.test(trimmed) ? undefined : trimmed;
  }
}

/** Whether two values may share a batch, and by which rules they may not. */
export function verdictOf(a: JsonValue, b: JsonValue, rules: readonly ConflictRule[]): ConflictRule[] {
  return conflictingRules(a, b, rules).flatMap((index) => rules[index] ?? []);
}

/** Rules that somebody typed as JSON, or what has to be changed. */
export function typedRules(text: string): { rules: ConflictRule[]; problems: string[] } {
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    return { rules: [], problems: ['This isn’t valid JSON yet; rules are a list such as [{"pair":[1,2]}]'] };
  }
  const { rules, problems } = parseConflictRules(input);
  return {
    rules,
    problems: problems.map(
      ({ field, expected, received }) => `${field || 'the list'}: expected ${expected}; received ${received}`,
    ),
  };
}

/** Records as somebody typed them: a JSON list, or one value a line. Those that are no JSON are problems. */
export function typedRecords(text: string): { values: JsonValue[]; problem?: string } {
  const trimmed = text.trim();
  if (trimmed === '') return { values: [] };
  if (trimmed.startsWith('[')) {
    try {
      return { values: JSON.parse(trimmed) as JsonValue[] };
    } catch {
      return { values: [], problem: 'The list isn’t valid JSON yet' };
    }
  }
  const values: JsonValue[] = [];
  for (const [index, line] of trimmed.split('\n').entries()) {
    const value = typedValue(line);
    if (value === undefined && line.trim() !== '')
      return { values: [], problem: `Line ${index + 1} isn’t a JSON value` };
    if (value !== undefined) values.push(value);
  }
  return { values };
}

/** Records cut into batches. */
export interface Cut {
  /** In the order in which they would leave. */
  batches: JsonValue[][];
  /** No cut has fewer batches. */
  lowerBound: number;
}

/** What records are cut by. */
export interface CutRules {
  rules: readonly ConflictRule[];
  maxBatchSize: number;
}

/** Cuts records, the oldest first, as a batcher would that has them all when they are due. */
export function cut(values: readonly JsonValue[], options: CutRules): Cut {
  const { batches, lowerBound } = partition(
    values.map((value) => ({ value })),
    options,
  );
  return { batches: batches.map((batch) => batch.map(({ value }) => value)), lowerBound };
}

/** How many records batches hold of what they could. */
export function fillOf({ batches }: Cut, maxBatchSize: number): number {
  return batches.length === 0 ? 1 : batches.flat().length / (batches.length * maxBatchSize);
}

/** How many batches fewer there would be without each rule, in the order of the rules. */
export function costsOf(values: readonly JsonValue[], { rules, maxBatchSize }: CutRules): number[] {
  const all = cut(values, { rules, maxBatchSize }).batches.length;
  return rules.map((_, without) => {
    const others = rules.filter((_, index) => index !== without);
    return all - cut(values, { rules: others, maxBatchSize }).batches.length;
  });
}

/** A rule in words: `1 and 2`, `equal /sku`, `any two of "acme", "globex" at /tenant`. */
export function ruleInWords(rule: ConflictRule): string {
  const scope = rule.same === undefined ? '' : `, where ${listed([rule.same].flat())} is the same`;
  if ('distinct' in rule) return `two records with the same ${rule.distinct || 'value'}${scope}`;
  if ('alike' in rule) return `two records that differ at ${rule.alike || 'any place'}${scope}`;
  if ('never' in rule) return `${selected(rule.never.left)} and ${selected(rule.never.right)}${scope}`;
  const at = rule.at ? ` at ${rule.at}` : '';
  if ('pair' in rule) return `${shortJson(rule.pair[0], 30)} and ${shortJson(rule.pair[1], 30)}${at}${scope}`;
  return `any two of ${listed(rule.group.map((value) => shortJson(value, 20)))}${at}${scope}`;
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, 4).join(', ');
  return texts.length > 4 ? `${shown} and ${texts.length - 4} more` : shown;
}

function selected({ at = '', ...condition }: Selector): string {
  const where = at === '' ? 'a value' : at;
  const [[kind, value] = []] = Object.entries(condition) as [string, unknown][];
  switch (kind) {
    case undefined:
      return at === '' ? 'any record' : `anything with ${at}`;
    case 'equals':
      return `${where} = ${shortJson(value, 30)}`;
    case 'in':
      return `${where} in ${shortJson(value, 40)}`;
    case 'prefix':
      return `${where} from ${shortJson(value, 30)}…`;
    default:
      return `${where} in ${shortJson(condition, 40)}`;
  }
}
