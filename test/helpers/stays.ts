import { conflicts, type ConflictRule } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';

/** When a record was with the store: from its first save to the end of its batch; Infinity while that hasn't come. */
export interface Stay {
  value: JsonValue;
  fromMs: number;
  untilMs: number;
}

/** Pairs of values that conflict and were with the store at once, or less than `apartMs` after one another. */
export function tooClose(
  stays: readonly Stay[],
  rules: readonly ConflictRule[],
  apartMs: number,
): [JsonValue, JsonValue][] {
  const found: [JsonValue, JsonValue][] = [];
  let near: Stay[] = [];
  for (const stay of [...stays].sort((a, b) => a.fromMs - b.fromMs)) {
    near = near.filter(({ untilMs }) => untilMs + apartMs > stay.fromMs);
    for (const { value } of near) if (conflicts(value, stay.value, rules)) found.push([value, stay.value]);
    near.push(stay);
  }
  return found;
}
