/** The lines of a file from which one record was made, from 1, both included. */
export interface LineSpan {
  first: number;
  last: number;
}

/** Records that follow one another evenly: record `from + i` begins `i * step` lines behind `span.first`. */
interface Run {
  from: number;
  span: LineSpan;
  /** Undefined as long as it is one record. */
  step: number | undefined;
}

export interface SourceLines {
  /** The lines of the next record. */
  add: (span: LineSpan) => void;
  /** Of the nth record, from 1; undefined for one that isn't there, or that is too far back to be remembered. */
  of: (record: number) => LineSpan | undefined;
}

const MAX_RUNS = 100_000;

/**
 * Remembers from which lines of a file records were made, so that what the API says of the nth record can be found there.
 * Records of equal length at equal distances, as most files have them, take no memory. Of others the last 100,000 are
 * kept, which is more than can be on the way to the API.
 */
export function createSourceLines({ maxRuns = MAX_RUNS } = {}): SourceLines {
  let runs: Run[] = [];
  let count = 0;
  return {
    add(span) {
      count++;
      const run = runs.at(-1);
      if (run && continues(run, span, count)) return;
      if (runs.length === 2 * maxRuns) runs = runs.slice(maxRuns);
      runs.push({ from: count, span, step: undefined });
    },
    of(record) {
      if (record > count) return undefined;
      const run = runs.findLast(({ from }) => from <= record);
      if (run === undefined) return undefined;
      const moved = (record - run.from) * (run.step ?? 0);
      return { first: run.span.first + moved, last: run.span.last + moved };
    },
  };
}

/** Whether a record belongs to a run; the second one decides how far they are apart. */
function continues(run: Run, { first, last }: LineSpan, record: number): boolean {
  const { from, span } = run;
  if (last - first !== span.last - span.first) return false;
  const step = run.step ?? first - span.first;
  if (first !== span.first + (record - from) * step) return false;
  run.step = step;
  return true;
}
