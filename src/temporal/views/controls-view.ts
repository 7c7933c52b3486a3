import type { ControlsView, ControlView } from '../../contracts/api/answers/controls';
import type { ControlNote } from '../../contracts/workflow/controls';
import type { Shards } from '../shard/shards';

/** What was done to the batchers, the latest first. What was done to several at once is listed once. Needs a worker. */
export async function readControls(shards: Shards): Promise<ControlsView> {
  const all = await shards.all();
  const notes = await Promise.all(
    all.map(async (shard) => (await shard.controls()).map((note) => ({ ...note, shard: shard.shard }))),
  );
  return { controls: mergeNotes(notes.flat()) };
}

/** A redrive has one time for all shards, but each has its own number of records: they are added up. */
export function mergeNotes(notes: readonly (ControlNote & { shard: number })[]): ControlView[] {
  const merged = new Map<string, ControlView>();
  const latestFirst = [...notes].sort((a, b) => b.atMs - a.atMs || a.shard - b.shard);
  for (const { action, by, atMs, detail, shard } of latestFirst) {
    const key = JSON.stringify([action, by, atMs]);
    const known = merged.get(key);
    if (known === undefined) {
      const at = new Date(atMs).toISOString();
      merged.set(key, { action, by, at, detail: detail ?? null, shards: [shard] });
      continue;
    }
    if (!known.shards.includes(shard)) known.shards.push(shard);
    if (action === 'redrive') known.detail = addedUp(known.detail, detail);
  }
  return [...merged.values()];
}

function addedUp(one: string | null, other: string | undefined): string {
  const sum = [one, other].reduce((total, text) => total + Number.parseInt(text ?? '0', 10), 0);
  return `${sum} ${sum === 1 ? 'record' : 'records'}`;
}
