import type { CommitInstruments, HttpInstruments, SaveInstruments } from '../contracts/instruments';
import type { Latency } from '../contracts/api/answers/live';
import type { ProcessFigures } from '../contracts/api/live';
import { SECOND } from '../domain/duration';
import type { ErrorCode } from '../domain/errors';

/** Durations kept between two looks; of more, the latest. */
const MAX_SAMPLES = 1000;

/**
 * What a process measures for viewers: counts and percentiles since the last look, and nothing of before. The
 * metrics beside it are for Prometheus, which looks back further.
 */
export class LiveMeter implements CommitInstruments, SaveInstruments, Pick<HttpInstruments, 'refused'> {
  private refusals: Partial<Record<ErrorCode, number>> = {};
  private readonly commits = new Samples();
  private readonly saves = new Samples();

  refused(code: ErrorCode): void {
    this.refusals[code] = (this.refusals[code] ?? 0) + 1;
  }

  committed(_requests: number, seconds: number): void {
    this.commits.add(seconds * SECOND);
  }

  saveEnded(_result: unknown, seconds: number): void {
    this.saves.add(seconds * SECOND);
  }

  /** Everything since the last call. */
  take(): ProcessFigures {
    const refused = this.refusals;
    this.refusals = {};
    return { refused, commit: this.commits.take(), save: this.saves.take() };
  }
}

class Samples {
  private values: number[] = [];
  private next = 0;

  add(value: number): void {
    this.values[this.next] = value;
    this.next = (this.next + 1) % MAX_SAMPLES;
  }

  take(): Latency | null {
    const sorted = this.values.sort((a, b) => a - b);
    this.values = [];
    this.next = 0;
    if (sorted.length === 0) return null;
    const at = (share: number) => Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 10) / 10;
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
  }
}
