/** As a shell reports a process that SIGPIPE ended. */
const ENDED_BY_SIGPIPE = 141;

/**
 * Ends the process without a word when nobody reads its output any more, as in `keepapart batches | head -1`: what cleans
 * up after SIGTERM does so, else it ends as other programs do.
 */
export function endWithOutput(streams: readonly NodeJS.WriteStream[]): void {
  let ended = false;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (ended) return;
    ended = true;
    if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
    else process.exit(ENDED_BY_SIGPIPE);
  };
  for (const stream of streams) stream.on('error', onError);
}
