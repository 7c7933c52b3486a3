import type { ConflictRule } from '../../src/domain/rules';
import type { JsonValue } from '../../src/domain/json';
import type { KeptRecord } from '../../src/domain/records/record';
import type { MemoryStore } from './memory-store';
import { tooClose, type Stay } from './stays';

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
    return tooClose([...this.stays.values()], rules, apartMs);
  }

  hasBegun(value: JsonValue): boolean {
    return [...this.stays.values()].some((stay) => stay.value === value);
  }

  private end(recordId: string): void {
    const stay = this.stays.get(recordId);
    if (stay?.untilMs === Infinity) stay.untilMs = Date.now();
  }
}
