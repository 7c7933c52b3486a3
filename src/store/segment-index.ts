/**
 * An index of the segments of a staging folder: the lines by segment and batch. If a batch is closed, its lines are dropped,
 * even if other batches still need the segment.
 */
export class SegmentIndex {
  private readonly segments = new Map<string, Map<string, Set<string>>>();
  private readonly byBatch = new Map<string, Set<string>>();

  names(): string[] {
    return [...this.segments.keys()];
  }

  knows(segment: string): boolean {
    return this.segments.has(segment);
  }

  /** Adds a segment. A known segment is skipped, because it only changes by {@link removeLine}. */
  add(segment: string, lines: Iterable<{ batch: string; line: string }>): void {
    if (this.segments.has(segment)) return;
    const batches = new Map<string, Set<string>>();
    this.segments.set(segment, batches);
    for (const { batch, line } of lines) {
      const known = batches.get(batch);
      if (known !== undefined) {
        known.add(line);
        continue;
      }
      batches.set(batch, new Set([line]));
      const segments = this.byBatch.get(batch);
      if (segments === undefined) this.byBatch.set(batch, new Set([segment]));
      else segments.add(segment);
    }
  }

  /** Removes a segment that no longer exists. */
  remove(segment: string): void {
    for (const batch of this.batchesIn(segment)) this.closeIn(segment, batch);
    this.segments.delete(segment);
  }

  segmentsOf(batch: string): string[] {
    return [...(this.byBatch.get(batch) ?? [])];
  }

  /** The batches that aren't known to be closed. */
  batchesIn(segment: string): string[] {
    return [...(this.segments.get(segment)?.keys() ?? [])];
  }

  closeIn(segment: string, batch: string): void {
    this.segments.get(segment)?.delete(batch);
    const segments = this.byBatch.get(batch);
    segments?.delete(segment);
    if (segments?.size === 0) this.byBatch.delete(batch);
  }

  hasLine(batch: string, line: string): boolean {
    for (const segment of this.byBatch.get(batch) ?? []) {
      if (this.has(segment, { batch, line })) return true;
    }
    return false;
  }

  has(segment: string, { batch, line }: { batch: string; line: string }): boolean {
    return this.segments.get(segment)?.get(batch)?.has(line) === true;
  }

  removeLine(segment: string, batch: string, line: string): void {
    this.segments.get(segment)?.get(batch)?.delete(line);
  }
}
