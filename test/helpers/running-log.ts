import { conflicts, type ConflictRule } from '../../src/domain/conflict-rules';
import type { JsonValue } from '../../src/domain/json';
import type { KeptRecord } from '../../src/domain/record';
import type { MemoryStore } from './memory-store';

/** When a record was with the store: from its first save to the end of its batch; Infinity while that hasn't come. */
interface Stay {
  value: JsonValue;
  fromMs: number;
  untilMs: number;
}

/** Notes when which records are with a store. */
export class RunningLog {
  private readonly stays = new Map<string, Stay>();

  constructor(store: MemoryStore) {
    store.afterClose = (batch) => {
      const closed = [...store.files.entries()].filter(([file]) => file.includes(batch.batchId));
      for (const { recordId } of closed.flatMap(([, records]) => records)) this.end(recordId);
    };
  }

  /** To be called before each save. */
  begin({ recordId, value }: KeptRecord): void {
    if (!this.stays.has(recordId)) this.stays.set(recordId, { value, fromMs: Date.now(), untilMs: Infinity });
  }

  /** Pairs of values that conflict and were with the store at once, or less than `apartMs` after one another. */
  tooClose(rules: readonly ConflictRule[], apartMs: number): [JsonValue, JsonValue][] {
    const stays = [...this.stays.values()];
    return stays.flatMap((a, i) =>
      stays
        .slice(i + 1)
        .filter((b) => conflicts(a.value, b.value, rules) && !isApart(a, b, apartMs))
        .map((b): [JsonValue, JsonValue] => [a.value, b.value]),
    );
  }

  hasBegun(value: JsonValue): boolean {
    return [...this.stays.values()].some((stay) => stay.value === value);
  }

  private end(recordId: string): void {
    const stay = this.stays.get(recordId);
    if (stay?.untilMs === Infinity) stay.untilMs = Date.now();
  }
}

function isApart(a: Stay, b: Stay, apartMs: number): boolean {
  const [first, second] = a.fromMs <= b.fromMs ? [a, b] : [b, a];
  return first.untilMs + apartMs <= second.fromMs;
}
