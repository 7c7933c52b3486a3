import type { Request, Response } from 'express';
import type { RecordStream } from '../../contracts/batcher-client';
import { STREAM_PROGRESS } from '../../contracts/api/stream-progress';
import { SECOND } from '../../domain/duration';

const EVERY_MS = 1 * SECOND;

/**
 * Reports to a client that asks for it, each second if it changed, how many records of a stream are durable.
 * @returns a function that ends it
 */
export function reportProgress(
  req: Request,
  res: Response,
  stream: RecordStream,
  location: string,
  everyMs = EVERY_MS,
): () => void {
  // HTTP/1.0 has no interim answers.
  if (req.headers[STREAM_PROGRESS.ask] === undefined || req.httpVersion === '1.0') return () => undefined;
  // The first report may be 0, so that a client knows it is waiting for room.
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
