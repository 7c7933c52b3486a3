import { KeepapartApiError } from '../../../client';
import type { SourceLines } from './source-lines';

/** How the API names a line of a stream: at the start of the detail and of each field. */
const LINE = /^line (\d+)/i;

/**
 * A refusal of the API with the lines of the file instead of those of the NDJSON that was made of it, of which each is one
 * record. Anything else stays as it is.
 */
export function inLinesOfFile(error: unknown, lines: SourceLines): unknown {
  if (!(error instanceof KeepapartApiError)) return error;
  const renamed = (text: string) => text.replace(LINE, (_, record: string) => placeOf(Number(record), lines));
  const { status, code, detail, problems, retryAfterMs, requestId, accepted, shards } = error;
  return new KeepapartApiError({
    status,
    code,
    detail: renamed(detail),
    problems: problems.map((problem) => ({ ...problem, field: renamed(problem.field) })),
    retryAfterMs,
    requestId,
    accepted,
    shards,
  });
}

function placeOf(record: number, lines: SourceLines): string {
  const span = lines.of(record);
  if (span === undefined) return `record ${record}`;
  return span.first === span.last ? `line ${span.first}` : `lines ${span.first} to ${span.last}`;
}
