import type { Request, Response } from 'express';
import type { RecordStream } from '../../contracts/batcher-client';
import { STREAM_PROGRESS } from '../../contracts/api/stream-progress';
import { SECOND } from '../../domain/duration';

const EVERY_MS = 1 * SECOND;

/**
 * Reports each second how many records of a stream are durable, when that has changed, to a client that asks for it.
 * @returns what ends it
 */
export function reportProgress(
  req: Request,
  res: Response,
  stream: RecordStream,
  location: string,
  everyMs = EVERY_MS,
): () => void {
  // HTTP/1.0 knows no interim answers.
  if (req.headers[STREAM_PROGRESS.ask] === undefined || req.httpVersion === '1.0') return () => undefined;
  // The first report may be of none: a client that waits for room has to know that it does.
  let reported: number | undefined;
  const timer = setInterval(() => {
    const accepted = stream.soFar();
    if (accepted === reported || res.headersSent || res.destroyed) return;
    reported = accepted;
    // Node sends no interim answer without a link.
    res.writeEarlyHints({ link: `<${location}>; rel=status`, [STREAM_PROGRESS.accepted]: String(accepted) });
  }, everyMs).unref();
  return () => clearInterval(timer);
}
